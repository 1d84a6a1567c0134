import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ConfigError } from "../src/errors.ts";
import { PACKAGE_ROOT } from "../src/system/package.ts";

/** In the package, and in the folder where the program runs: what stands there goes before. */
const FOLDER = join("config", "personas");

/** What each persona `config/personas/<name>.md` tells the model about itself, by name. */
export function loadPersonas(): ReadonlyMap<string, string> {
  const folders = [join(PACKAGE_ROOT, FOLDER), FOLDER].filter((folder) => existsSync(folder));
  const paths = folders.flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)));
  const files = paths
    .filter((path) => path.endsWith(".md"))
    .map((path) => [nameOf(path), read(path)] as const);
  return new Map(files.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The persona of that name; throws a `ConfigError` that names those that exist. */
export function findPersona(personas: ReadonlyMap<string, string>, name: string): string {
  const persona = personas.get(name);
  if (persona !== undefined) return persona;
  throw new ConfigError(
    "persona",
    `There is no persona "${name}" in ${FOLDER}; there are: ${[...personas.keys()].join(", ")}`,
  );
}

function nameOf(path: string): string {
  return path.slice(dirname(path).length + 1, -".md".length);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (cause) {
    throw new ConfigError("persona", `The persona ${path} cannot be read`, { cause });
  }
}

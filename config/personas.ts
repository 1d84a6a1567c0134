import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ConfigError } from "../src/errors.ts";
import { PACKAGE_ROOT } from "../src/system/package.ts";

/** Relative to the package and to the working folder; a persona in the working folder takes precedence. */
const FOLDER = join("config", "personas");

/** Reads all personas, `config/personas/<name>.md`: the system prompt of each, by name. */
export function loadPersonas(): ReadonlyMap<string, string> {
  const folders = [join(PACKAGE_ROOT, FOLDER), FOLDER].filter((folder) => existsSync(folder));
  const paths = folders.flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)));
  const files = paths
    .filter((path) => path.endsWith(".md"))
    .map((path) => [nameOf(path), read(path)] as const);
  return new Map(files.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The system prompt of a persona; throws a `ConfigError` that lists the personas if there is none of that name. */
export function findPersona(personas: ReadonlyMap<string, string>, name: string): string {
  const persona = personas.get(name);
  if (persona !== undefined) return persona;
  throw new ConfigError(
    "persona",
    `There is no persona "${name}" in ${FOLDER}; the personas are: ${[...personas.keys()].join(", ")}`,
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

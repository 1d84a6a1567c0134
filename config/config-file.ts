import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type YAML from "yaml";
import { ConfigError } from "../src/errors.ts";
import { schema } from "./schema.ts";
import { inFolder } from "./sources.ts";

/** The path that is read if `COLLOQUY_CONFIG` names no other. */
const DEFAULT_FILE = "config/colloquy.yaml";

/** The contents of a configuration file. */
export interface ConfigFile {
  /** As the operator wrote it, or the default. */
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * Reads the configuration file `named`, or the default one if it exists. Throws a `ConfigError` if a named file does not
 * exist, if the file is not a YAML mapping, or if it contains an unknown setting.
 */
export function readConfigFile(named: string | undefined, folder: string): ConfigFile | undefined {
  const path = named || DEFAULT_FILE;
  const location = inFolder(folder, path);
  if (!existsSync(location)) {
    if (!named) return undefined;
    throw new ConfigError("config_file", `COLLOQUY_CONFIG names the file ${path}, which does not exist`);
  }
  const content = parseFile(location, path);
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    throw new ConfigError("config_file", `The configuration file ${path} must consist of lines NAME: value`);
  }
  for (const name of Object.keys(content)) {
    if (!Object.hasOwn(schema.shape, name)) {
      throw new ConfigError("config_file", `${path}: there is no setting ${name}${suggest(name)}`);
    }
  }
  return { path, values: { ...content } };
}

function parseFile(location: string, path: string): unknown {
  // Loaded only if there is a file, so that the program starts sooner without one.
  const { parse }: typeof YAML = createRequire(import.meta.url)("yaml");
  try {
    return parse(readFileSync(location, "utf8"), { logLevel: "error" }) ?? {};
  } catch (error) {
    throw new ConfigError("config_file", `The configuration file ${path} ${describe(error)}`);
  }
}

function describe(error: unknown): string {
  const { message } = error instanceof Error ? error : new Error("unknown error");
  if (error instanceof Error && "syscall" in error) return `(COLLOQUY_CONFIG) cannot be read: ${message}`;
  // The further lines quote the file, which may contain a secret.
  return `is not valid YAML: ${message.split("\n")[0]?.replace(/:$/, "")}`;
}

function suggest(name: string): string {
  const known = Object.keys(schema.shape);
  const plain = (text: string) => text.toUpperCase().replace(/[^A-Z]/g, "");
  const near = known.find((other) => plain(other) === plain(name) || plain(other).includes(plain(name)));
  return near ? `; did you mean ${near}?` : `; the settings are ${known.join(", ")}`;
}

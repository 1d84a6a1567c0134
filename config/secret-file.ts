import { readFileSync, statSync } from "node:fs";
import { z } from "zod";
import { ConfigError } from "../src/errors.ts";
import { jsonOrNull } from "./json.ts";
import { nonEmptyText } from "./schema.ts";

/** Where container engines mount secrets, readable by every process in the container. */
const MOUNTED = "/run/secrets/";

/** Reports a problem that does not prevent the start. */
export type Warn = (message: string) => void;

/**
 * Reads a secret from the file that `${name}_FILE` names: plain text, or JSON such as `{"api": "…"}`. Warns if every user
 * of the machine can read it. Throws a `ConfigError` if the file cannot be read, is empty, or is other JSON.
 */
export function readSecret(path: string, name: string, warn: Warn): string {
  let content: string;
  try {
    content = readFileSync(path, "utf8").trim();
    const { mode } = statSync(path);
    if ((mode & 0o007) !== 0 && process.platform !== "win32" && !path.startsWith(MOUNTED)) {
      warn(`everyone on this machine can read the file ${path} (${name}_FILE); run chmod 600 on it`);
    }
  } catch (cause) {
    throw new ConfigError("key_file", `${name}_FILE: the file ${path} cannot be read`, { cause });
  }
  if (!content.startsWith("{")) {
    if (content) return content;
    throw new ConfigError("key_file", `${name}_FILE: the file ${path} is empty`);
  }
  const { data } = z.object({ api: nonEmptyText }).safeParse(jsonOrNull(content));
  if (data) return data.api;
  throw new ConfigError(
    "key_file",
    `${name}_FILE: the file ${path} must contain only the secret, or JSON like {"api": "the secret"}`,
  );
}

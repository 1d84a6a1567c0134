import { z } from "zod";
import { ConfigError } from "../src/errors.ts";
import { harmless } from "../src/sanitize/harmless.ts";
import { passwordsIn, scrub } from "../src/sanitize/secrets.ts";
import { readConfigFile } from "./config-file.ts";
import { schema } from "./schema.ts";
import { readSecret, type Warn } from "./secret-file.ts";
import { environment, fileSource, mergeSources, type SettingSource, WORKING_FOLDER } from "./sources.ts";

/** All settings, validated. */
export type Settings = z.infer<typeof schema>;

type Name = keyof Settings;

/** Settings whose values must never be printed: those that can also be given as a file, under their name plus `_FILE`. */
const SECRETS = (Object.keys(schema.shape) as Name[]).filter((name) => `${name}_FILE` in schema.shape);

export interface LoadOptions {
  readonly dotEnv?: SettingSource | undefined;
  /** The folder in which the program was started; relative paths start here. */
  readonly folder?: string;
  /** Receives warnings; `process.emitWarning` by default. */
  readonly warn?: Warn;
}

/**
 * Loads the settings of this run. The environment takes precedence over `.env`, `.env` over the configuration file, and the
 * file over the default; but an address from a file receives no secret from another source (see `mergeSources`). Throws a
 * `ConfigError` that names each invalid setting, the value given and the values allowed.
 */
export function loadSettings(env: NodeJS.ProcessEnv, options: LoadOptions = {}): Settings {
  const { dotEnv, folder = WORKING_FOLDER, warn = (text) => process.emitWarning(harmless(text)) } = options;
  const own = environment(settingsIn(env));
  const local = dotEnv && { ...dotEnv, values: settingsIn(dotEnv.values) };
  const named = env["COLLOQUY_CONFIG"];
  const file = readConfigFile(named || textOf(dotEnv?.values["COLLOQUY_CONFIG"]), folder);
  const sources = [own, local, file && fileSource(file.path, { ...file, named: Boolean(named), folder })];
  const { given, warnings } = mergeSources(
    sources.filter((source) => source !== undefined),
    folder,
  );
  for (const warning of warnings) warn(warning);
  checkPassword(env, given["STORE_URL"], own.values["STORE_URL"]);
  for (const name of SECRETS) {
    const path = given[`${name}_FILE`];
    // A secret given directly takes precedence over one in a file.
    if (!given[name] && typeof path === "string") given[name] = readSecret(path, name, warn);
  }
  const parsed = schema.safeParse(given);
  if (!parsed.success) throw new ConfigError("settings", complaint(parsed.error, given));
  const settings = parsed.data;
  if (Boolean(settings.DINGTALK_CLIENT_ID) !== Boolean(settings.DINGTALK_CLIENT_SECRET)) {
    throw new ConfigError(
      "settings",
      "DINGTALK_CLIENT_ID and DINGTALK_CLIENT_SECRET belong together: set both, or neither",
    );
  }
  return settings;
}

/** The values that must never appear in logs or errors. */
export function secretsOf(settings: Settings): string[] {
  return secretsIn(settings);
}

/** Like `secretsOf`, for settings that have not been validated. */
export function secretsIn(given: Readonly<Record<string, unknown>>): string[] {
  const urls = Object.keys(given).filter((name) => /_(url|root|proxy)$/i.test(name));
  const secrets = SECRETS.map((name) => textOf(given[name]));
  return [...secrets, ...urls.flatMap((name) => passwordsIn(textOf(given[name]) ?? ""))].filter(
    (value) => value !== undefined,
  );
}

/** Picks the settings from a source. An empty value counts as absent: compose files pass on variables the host lacks. */
function settingsIn(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const name of Object.keys(schema.shape)) {
    const value = values[name] || (isProxy(name) ? values[name.toLowerCase()] : undefined);
    if (value) found[name] = value;
  }
  return found;
}

/** Proxy variables are also written in lower case. */
function isProxy(name: string): boolean {
  return name.endsWith("_PROXY");
}

/** PostgreSQL's driver reads PGPASSWORD if the URL has no password; a server named in a file must not receive it. */
function checkPassword(env: NodeJS.ProcessEnv, url: unknown, own: unknown): void {
  if (!env["PGPASSWORD"] || url === own || !/^postgres(ql)?:/.test(textOf(url) ?? "")) return;
  if (passwordsIn(textOf(url) ?? "").length > 0) return;
  throw new ConfigError(
    "settings_apart",
    "STORE_URL comes from a file and PGPASSWORD from the environment: set STORE_URL in the environment too, or write the password into it",
  );
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function complaint(error: z.ZodError, given: Record<string, unknown>): string {
  return error.issues
    .map(({ path, message }) => {
      const [first, ...rest] = path.map(String);
      const name = String(first);
      const value = isHidden(name, given[name]) ? "" : ` (given: ${scrub(JSON.stringify(given[name]), [])})`;
      return `${[name, ...rest].join(": ")} ${message}${value}`;
    })
    .join("; ");
}

/** Hides secrets, and addresses that may contain a password: in an invalid one it can be anywhere. */
function isHidden(name: string, value: unknown): boolean {
  if ((SECRETS as readonly string[]).includes(name) || isProxy(name) || name === "STORE_URL") return true;
  return /_(URL|ROOT)$/.test(name) && /[@=]/.test(String(value));
}

import { readFileSync, realpathSync } from "node:fs";
import { isAbsolute, join, sep } from "node:path";
import { parseEnv } from "node:util";
import { ConfigError } from "../src/errors.ts";

/** Something that provides settings: the environment, `.env`, the configuration file. */
export interface SettingSource {
  /** As shown to people, such as ".env". */
  readonly name: string;
  /**
   * Who wrote it, as far as that can be known. Undefined for the environment, which is the operator's own. All files of the
   * working folder share one origin, no matter who put them there; any other file is an origin of its own.
   */
  readonly origin: string | undefined;
  /** Whether the operator named it by its absolute path, so that it is the same in every working folder. */
  readonly chosen: boolean;
  readonly values: Readonly<Record<string, unknown>>;
}

const MODEL = ["OPENAI_API_KEY"];
const TELEGRAM = ["TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"];
const DISCORD = ["DISCORD_BOT_TOKEN"];
const DINGTALK = ["DINGTALK_CLIENT_SECRET"];
const ALL_SECRETS = [...MODEL, ...TELEGRAM, ...DISCORD, ...DINGTALK];
const PROXIES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];
/** The secrets that each address receives. A folder prepared by a stranger must not combine the two. */
const SECRETS_SENT_TO: Readonly<Record<string, readonly string[]>> = {
  OPENAI_BASE_URL: MODEL,
  TELEGRAM_API_ROOT: TELEGRAM,
  TELEGRAM_WEBHOOK_URL: TELEGRAM,
  DISCORD_API_ROOT: DISCORD,
  DINGTALK_API_ROOT: DINGTALK,
  ...Object.fromEntries(PROXIES.map((proxy) => [proxy, ALL_SECRETS])),
  // It decides what bypasses a proxy.
  NO_PROXY: PROXIES,
};

/** Settings that come from the same source as the secret they belong to. */
const COMPANIONS: Readonly<Record<string, string>> = { DINGTALK_CLIENT_SECRET: "DINGTALK_CLIENT_ID" };

/** The working folder. Relative, because its absolute path fails to resolve once the folder has been removed. */
export const WORKING_FOLDER = ".";

/** Resolves a path relative to a folder. */
export function inFolder(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}

/** The environment, as a source. */
export function environment(values: Readonly<Record<string, unknown>>): SettingSource {
  return { name: "the environment", origin: undefined, chosen: true, values };
}

/** Reads the `.env` of a folder; undefined if there is none. Throws a `ConfigError` if it cannot be read. */
export function readDotEnv(folder = WORKING_FOLDER): SettingSource | undefined {
  const path = join(folder, ".env");
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new ConfigError("dot_env", `The file .env of this folder cannot be read`, { cause });
  }
  return { name: ".env", origin: originOf(path, folder), chosen: false, values: parseEnv(text) };
}

/** A configuration file, as a source. `named`: the operator named it in the environment. */
export function fileSource(
  path: string,
  {
    values,
    named,
    folder,
  }: Pick<SettingSource, "values"> & { readonly named: boolean; readonly folder: string },
): SettingSource {
  const chosen = named && isAbsolute(path);
  return { name: path, origin: chosen ? path : originOf(path, folder), chosen, values };
}

/** The values of all settings. */
export interface Merged {
  readonly given: Record<string, unknown>;
  /** Combinations of sources that were accepted, as sentences for the operator. */
  readonly warnings: readonly string[];
}

/**
 * Merges sources; earlier ones take precedence. No source may contain empty values.
 *
 * An address from a file receives only secrets of the same origin. If the secret in effect has another origin, a secret of
 * the file's own origin replaces it. If there is none, this throws a `ConfigError` that names both, or only warns if the
 * operator has chosen the file.
 */
export function mergeSources(sources: readonly SettingSource[], folder: string): Merged {
  const sourceOf = new Map<string, SettingSource>();
  for (const source of [...sources].toReversed())
    for (const name of Object.keys(source.values)) sourceOf.set(name, source);
  dropOverridden(sourceOf, sources);
  const warnings: string[] = [];
  for (const [address, secrets] of Object.entries(SECRETS_SENT_TO)) {
    const source = sourceOf.get(address);
    if (source?.origin === undefined) continue;
    for (const secret of secrets) {
      const other = holderOf(sourceOf, secret, folder);
      if (!other || other.origin === source.origin) continue;
      const own = PROXIES.includes(secret) ? undefined : ownSecret(sources, secret, { source, folder });
      if (!own && !source.chosen) throw mixedOrigins(address, source, { secret, other });
      warnings.push(
        own ? replaced(address, source, { secret, other }) : combined(address, source, { secret, other }),
      );
      if (own) useSecret(sourceOf, secret, own);
    }
  }
  const given = Object.fromEntries([...sourceOf].map(([name, { values }]) => [name, values[name]]));
  return { given, warnings: [...warnings, ...dataWarnings(sourceOf, folder)] };
}

/** A secret and the file that contains it are two names of one thing: if both are given, the earlier source decides. */
function dropOverridden(sourceOf: Map<string, SettingSource>, sources: readonly SettingSource[]): void {
  for (const secret of [...sourceOf.keys()].filter((name) => sourceOf.has(`${name}_FILE`))) {
    const rank = (name: string) => sources.indexOf(sourceOf.get(name) as SettingSource);
    if (rank(`${secret}_FILE`) < rank(secret)) sourceOf.delete(secret);
  }
}

/** Where a secret comes from. */
interface Holder {
  readonly name: string;
  readonly origin: string | undefined;
}

function holderOf(
  sourceOf: ReadonlyMap<string, SettingSource>,
  secret: string,
  folder: string,
): Holder | undefined {
  const source = sourceOf.get(secret);
  if (source?.values[secret]) return source;
  const named = sourceOf.get(`${secret}_FILE`);
  return named?.values[`${secret}_FILE`] ? fileHolder(named, secret, folder) : undefined;
}

/** A folder can name any file of this machine, so naming a file does not make its content the folder's own. */
function fileHolder(named: SettingSource, secret: string, folder: string): Holder {
  const path = String(named.values[`${secret}_FILE`]);
  if (named.origin === undefined || named.chosen) return named;
  const name = `the file ${path} (${secret}_FILE in ${named.name})`;
  return { name, origin: originOf(path, folder) };
}

/** Finds a source of the same origin that contains the secret. */
function ownSecret(
  sources: readonly SettingSource[],
  secret: string,
  { source, folder }: { readonly source: SettingSource; readonly folder: string },
): SettingSource | undefined {
  return sources.find((one) => {
    if (one.origin !== source.origin) return false;
    if (one.values[secret]) return true;
    return Boolean(one.values[`${secret}_FILE`]) && fileHolder(one, secret, folder).origin === one.origin;
  });
}

function useSecret(sourceOf: Map<string, SettingSource>, secret: string, own: SettingSource): void {
  for (const name of [secret, `${secret}_FILE`]) sourceOf.delete(name);
  for (const name of [secret, `${secret}_FILE`, COMPANIONS[secret] ?? secret])
    if (own.values[name] !== undefined) sourceOf.set(name, own);
}

interface Pair {
  readonly secret: string;
  readonly other: Holder;
}

function mixedOrigins(address: string, source: SettingSource, { secret, other }: Pair): ConfigError {
  return new ConfigError(
    "settings_apart",
    `${address} comes from ${source.name} and ${secret} from ${other.name}, and a file in the folder where the program ` +
      `starts must not decide what happens to a secret from elsewhere. If you want this, set ${address} in the ` +
      `environment too${PROXIES.includes(secret) ? "" : `, or write the ${secret} that belongs to it into ${source.name}`}` +
      (secret === "OPENAI_API_KEY" ? " (any value, such as none, if the service needs no key)" : ""),
  );
}

function replaced(address: string, source: SettingSource, { secret, other }: Pair): string {
  return `${address} comes from ${source.name}, so the ${secret} that belongs to it is used instead of the one from ${other.name}`;
}

function combined(address: string, source: SettingSource, { secret, other }: Pair): string {
  return `${address} comes from ${source.name}, and receives the ${secret} from ${other.name}`;
}

/** Warns if a file decides where conversations or sign-ins go, although no secret is sent there. */
function dataWarnings(sourceOf: ReadonlyMap<string, SettingSource>, folder: string): string[] {
  const store = sourceOf.get("STORE_URL");
  const page = sourceOf.get("WEB_URL");
  const warnings: string[] = [];
  if (store?.origin !== undefined && /^postgres(ql)?:/.test(String(store.values["STORE_URL"]))) {
    const secret = ALL_SECRETS.find((one) => {
      const other = holderOf(sourceOf, one, folder);
      return other && other.origin !== store.origin;
    });
    if (secret)
      warnings.push(
        `STORE_URL comes from ${store.name}, and ${secret} from ${holderOf(sourceOf, secret, folder)?.name}: conversations are stored in that database`,
      );
  }
  if (page?.origin !== undefined && store && store.origin !== page.origin)
    warnings.push(
      `WEB_URL comes from ${page.name}, and STORE_URL from ${store.name}: personal links for that store lead to that address`,
    );
  return warnings;
}

/** Identifies who wrote a file: the folder, for all files in it. The target of a link counts, not the link. */
function originOf(path: string, folder: string): string {
  const [real, home] = [realpathOr(inFolder(folder, path)), realpathOr(folder)];
  return real.startsWith(home.endsWith(sep) ? home : `${home}${sep}`) ? home : real;
}

function realpathOr(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

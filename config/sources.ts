import { readFileSync, realpathSync } from "node:fs";
import { isAbsolute, join, sep } from "node:path";
import { parseEnv } from "node:util";
import { ConfigError } from "../src/errors.ts";

/** Something that holds settings: the environment, `.env`, the configuration file. */
export interface Source {
  /** For people, such as ".env". */
  readonly name: string;
  /**
   * Who has written it, as far as that can be told: undefined for the environment, which is the operator's own. Files of
   * the working folder have one origin, no matter who put them there; another file has its own.
   */
  readonly origin: string | undefined;
  /** The operator has named it by its full path, so that it is the same in whatever folder the program is started. */
  readonly chosen: boolean;
  readonly values: Readonly<Record<string, unknown>>;
}

const MODEL = ["OPENAI_API_KEY"];
const TELEGRAM = ["TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"];
const DISCORD = ["DISCORD_BOT_TOKEN"];
const DINGTALK = ["DINGTALK_CLIENT_SECRET"];
const EVERY = [...MODEL, ...TELEGRAM, ...DISCORD, ...DINGTALK];
const PROXIES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];
/** Which secrets go to which address: no folder that somebody else has prepared may bring them together. */
const RECEIVED: Readonly<Record<string, readonly string[]>> = {
  OPENAI_BASE_URL: MODEL,
  TELEGRAM_API_ROOT: TELEGRAM,
  TELEGRAM_WEBHOOK_URL: TELEGRAM,
  DISCORD_API_ROOT: DISCORD,
  DINGTALK_API_ROOT: DINGTALK,
  ...Object.fromEntries(PROXIES.map((proxy) => [proxy, EVERY])),
  // It says what goes past a proxy.
  NO_PROXY: PROXIES,
};

/** These go with a secret, whatever it is taken from. */
const COMPANIONS: Readonly<Record<string, string>> = { DINGTALK_CLIENT_SECRET: "DINGTALK_CLIENT_ID" };

/** The working folder: by no name, as it may be gone. */
export const HERE = ".";

/** A path as it is meant in a folder. */
export function inFolder(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}

/** The environment, as a source. */
export function environment(values: Readonly<Record<string, unknown>>): Source {
  return { name: "the environment", origin: undefined, chosen: true, values };
}

/** The `.env` of a folder; undefined if there is none. Throws a `ConfigError` if it cannot be read. */
export function readDotEnv(folder = HERE): Source | undefined {
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

/** A configuration file as a source; `named` in the environment by the operator, if at all. */
export function fileSource(
  path: string,
  { values, named, folder }: Pick<Source, "values"> & { readonly named: boolean; readonly folder: string },
): Source {
  const chosen = named && isAbsolute(path);
  return { name: path, origin: chosen ? path : originOf(path, folder), chosen, values };
}

/** All settings; of two sources the earlier one decides. What it takes must be clean: no value is an empty one. */
export interface Merged {
  readonly given: Record<string, unknown>;
  /** For the operator: what was used though it comes from several places. */
  readonly warnings: readonly string[];
}

/**
 * Merges sources, of which the first decides. An address from a file receives secrets of the same origin only: if the secret
 * that would be used comes from elsewhere, that of the file takes its place; if the file has none, it throws a
 * `ConfigError` that names both, or warns if the operator has chosen the file.
 */
export function mergeSources(sources: readonly Source[], folder: string): Merged {
  const taken = new Map<string, Source>();
  for (const source of [...sources].toReversed())
    for (const name of Object.keys(source.values)) taken.set(name, source);
  dropOvertaken(taken, sources);
  const warnings: string[] = [];
  for (const [address, secrets] of Object.entries(RECEIVED)) {
    const source = taken.get(address);
    if (source?.origin === undefined) continue;
    for (const secret of secrets) {
      const other = secretOf(taken, secret, folder);
      if (!other || other.origin === source.origin) continue;
      const own = PROXIES.includes(secret) ? undefined : ownSecret(sources, secret, { source, folder });
      if (!own && !source.chosen) throw apart(address, source, { secret, other });
      warnings.push(
        own ? replaced(address, source, { secret, other }) : used(address, source, { secret, other }),
      );
      if (own) take(taken, secret, own);
    }
  }
  const given = Object.fromEntries([...taken].map(([name, { values }]) => [name, values[name]]));
  return { given, warnings: [...warnings, ...wordsAstray(taken, folder)] };
}

/** A secret and the file that holds it are two names of one thing: where both are given, the earlier source decides. */
function dropOvertaken(taken: Map<string, Source>, sources: readonly Source[]): void {
  for (const secret of [...taken.keys()].filter((name) => taken.has(`${name}_FILE`))) {
    const rank = (name: string) => sources.indexOf(taken.get(name) as Source);
    if (rank(`${secret}_FILE`) < rank(secret)) taken.delete(secret);
  }
}

/** Where a secret comes from. */
interface Holder {
  readonly name: string;
  readonly origin: string | undefined;
}

function secretOf(taken: ReadonlyMap<string, Source>, secret: string, folder: string): Holder | undefined {
  const source = taken.get(secret);
  if (source?.values[secret]) return source;
  const named = taken.get(`${secret}_FILE`);
  return named?.values[`${secret}_FILE`] ? fileHolder(named, secret, folder) : undefined;
}

/** A folder may name any file of this machine, so that what stands there is not its own by that. */
function fileHolder(named: Source, secret: string, folder: string): Holder {
  const path = String(named.values[`${secret}_FILE`]);
  if (named.origin === undefined || named.chosen) return named;
  const name = `the file ${path} (${secret}_FILE in ${named.name})`;
  return { name, origin: originOf(path, folder) };
}

/** A source of the same origin that has the secret itself. */
function ownSecret(
  sources: readonly Source[],
  secret: string,
  { source, folder }: { readonly source: Source; readonly folder: string },
): Source | undefined {
  return sources.find((one) => {
    if (one.origin !== source.origin) return false;
    if (one.values[secret]) return true;
    return Boolean(one.values[`${secret}_FILE`]) && fileHolder(one, secret, folder).origin === one.origin;
  });
}

function take(taken: Map<string, Source>, secret: string, own: Source): void {
  for (const name of [secret, `${secret}_FILE`]) taken.delete(name);
  for (const name of [secret, `${secret}_FILE`, COMPANIONS[secret] ?? secret])
    if (own.values[name] !== undefined) taken.set(name, own);
}

interface Pair {
  readonly secret: string;
  readonly other: Holder;
}

function apart(address: string, source: Source, { secret, other }: Pair): ConfigError {
  return new ConfigError(
    "settings_apart",
    `${address} comes from ${source.name} and ${secret} from ${other.name}, and a file that lies in the folder where the ` +
      `program is started does not decide what happens to a secret from elsewhere. If you mean it, set ${address} in the ` +
      `environment too${PROXIES.includes(secret) ? "" : `, or write the ${secret} that belongs to it into ${source.name}`}` +
      (secret === "OPENAI_API_KEY" ? " (any word, such as none, if the service asks for none)" : ""),
  );
}

function replaced(address: string, source: Source, { secret, other }: Pair): string {
  return `${address} comes from ${source.name}, and so does the ${secret} that is used; that from ${other.name} is not`;
}

function used(address: string, source: Source, { secret, other }: Pair): string {
  return `${address} comes from ${source.name}, and receives the ${secret} from ${other.name}`;
}

/** No key goes astray, but what people say, or how they sign in, is led elsewhere by a file: at least that is said. */
function wordsAstray(taken: ReadonlyMap<string, Source>, folder: string): string[] {
  const store = taken.get("STORE_URL");
  const page = taken.get("WEB_URL");
  const warnings: string[] = [];
  if (store?.origin !== undefined && /^postgres(ql)?:/.test(String(store.values["STORE_URL"]))) {
    const secret = EVERY.find((one) => {
      const other = secretOf(taken, one, folder);
      return other && other.origin !== store.origin;
    });
    if (secret)
      warnings.push(
        `STORE_URL comes from ${store.name}, and ${secret} from ${secretOf(taken, secret, folder)?.name}: what people say is kept in that database`,
      );
  }
  if (page?.origin !== undefined && store && store.origin !== page.origin)
    warnings.push(
      `WEB_URL comes from ${page.name}, and STORE_URL from ${store.name}: personal links for that store lead there`,
    );
  return warnings;
}

/** The same for all files of a folder; what a link leads to lies elsewhere. */
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

import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import type YAML from "yaml";
import { z } from "zod";
import { ConfigError } from "../src/errors.ts";
import { harmless } from "../src/sanitize/harmless.ts";
import { createRanges } from "../src/http/ranges.ts";
import { passwordsIn, scrub } from "../src/sanitize/secrets.ts";
import { environment, fileSource, HERE, inFolder, mergeSources, type Source } from "./sources.ts";

/** Read when `COLLOQUY_CONFIG` names no other. */
const DEFAULT_FILE = "config/colloquy.yaml";

const text = z
  .string()
  .trim()
  .min(1)
  .regex(/^[^\0]*$/, "must not hold the character of code 0");
const httpUrl = z
  .url({ protocol: /^https?$/, error: "must be a URL that begins with http:// or https://" })
  // The parser of URLs drops some of them, and takes others, which would then be printed.
  .refine((url) => !/\p{Cc}/u.test(url.trim()), { error: "must hold no control characters" });
const whole = (least: number, most: number) =>
  z.coerce
    .number({ error: "must be a whole number" })
    .int("must be a whole number")
    .min(least, `must be at least ${least}`)
    .max(most, `must be at most ${most}`);

const price = z.coerce.number({ error: "must be a number" }).min(0, "must be at least 0").max(1_000_000);

/** One of the models that people may choose. */
const modelEntry = z
  .strictObject({
    // In tokens.
    context: whole(512, 10_000_000).optional(),
    // For a million tokens.
    input: price.optional(),
    output: price.optional(),
  })
  .refine(({ input, output }) => (input === undefined) === (output === undefined), {
    error: "must have both prices, input and output, or none",
  });

/** Every setting, under the one name that it has in the environment and in the configuration file. */
const schema = z.object({
  OPENAI_API_KEY: text.optional(),
  OPENAI_API_KEY_FILE: text.optional(),
  OPENAI_BASE_URL: httpUrl.optional(),
  OPENAI_MODEL: text.default("gpt-5.4-mini"),
  OPENAI_FALLBACK_MODEL: text.optional(),
  OPENAI_CONTEXT_TOKENS: whole(512, 10_000_000).optional(),
  OPENAI_MAX_COMPLETION_TOKENS: whole(16, 10_000_000).optional(),
  // Names, or names with what is known of each.
  OPENAI_MODELS: z
    .preprocess(
      readModels,
      z.record(text, modelEntry, {
        error:
          'must be a list such as gpt-5.4-mini,gpt-5.4, or JSON such as {"gpt-5.4": {"context": 400000, "input": 1.25, "output": 10}}',
      }),
    )
    .default({}),
  CURRENCY: text.max(10, "must be at most 10 characters, such as $ or CNY").default("$"),
  // A conversation is full with so many messages, its persona among them.
  HISTORY_MESSAGES: whole(3, 10_000).optional(),
  HISTORY_TOKENS: whole(100, 10_000_000).optional(),
  HISTORY_HOURS: whole(1, 87_600).optional(),
  HISTORY_POLICY: z
    .enum(["drop", "summarise", "reset"], { error: "must be drop, summarise or reset" })
    .default("drop"),
  PERSONA: text
    .regex(/^[\w-]+$/, "must be the name of a file in config/personas, without .md")
    .default("assistant"),
  // Only what could be no token at all: whether it is one, the server says.
  TELEGRAM_BOT_TOKEN: text
    .regex(/^[\w:-]+$/, "must be the token that @BotFather gives, such as 123456:ABC-DEF")
    .optional(),
  TELEGRAM_BOT_TOKEN_FILE: text.optional(),
  TELEGRAM_API_ROOT: httpUrl.default("https://api.telegram.org"),
  TELEGRAM_WEBHOOK_URL: httpUrl.optional(),
  TELEGRAM_WEBHOOK_SECRET: text
    .regex(/^[\w-]{1,256}$/, "must be 1 to 256 letters, digits, _ and -")
    .optional(),
  TELEGRAM_WEBHOOK_SECRET_FILE: text.optional(),
  TELEGRAM_RICH: z
    .enum(["auto", "classic", "rich"], { error: "must be auto, classic or rich" })
    .default("auto"),
  TELEGRAM_DRAFTS: z
    .enum(["on", "off"], { error: "must be on or off" })
    .default("off")
    .transform((value) => value === "on"),
  DISCORD_BOT_TOKEN: text.optional(),
  DISCORD_BOT_TOKEN_FILE: text.optional(),
  DISCORD_API_ROOT: httpUrl.optional(),
  DISCORD_FILE_AFTER: whole(1, 1000).default(20),
  DINGTALK_CLIENT_ID: text.optional(),
  DINGTALK_CLIENT_SECRET: text.optional(),
  DINGTALK_CLIENT_SECRET_FILE: text.optional(),
  DINGTALK_API_ROOT: httpUrl.optional(),
  DINGTALK_MODE: z.enum(["stream", "callback"], { error: "must be stream or callback" }).default("stream"),
  DINGTALK_CARD_TEMPLATE: text.optional(),
  DINGTALK_CARD_FIELD: text.default("content"),
  STORE_URL: text.default("sqlite:data/colloquy.sqlite"),
  HTTP_HOST: text.default("127.0.0.1"),
  HTTP_PORT: whole(0, 65_535).default(8080),
  WEB_CHAT: z
    .enum(["on", "off"], { error: "must be on or off" })
    .default("on")
    .transform((value) => value === "on"),
  // Where people find the web chat, if not only on this machine.
  WEB_URL: httpUrl.optional(),
  // Proxies in front of the HTTP port whose X-Forwarded-For is believed.
  TRUSTED_PROXIES: z
    .string()
    .default("")
    .transform(readList)
    .refine((proxies) => proxies.every((proxy) => createRanges().add(proxy)), {
      error: "must be a list of addresses and ranges such as 127.0.0.1,10.0.0.0/8",
    }),
  STATUS_TOKEN: text
    .min(16, "must have at least 16 characters, such as openssl rand -hex 16 prints")
    .optional(),
  STATUS_TOKEN_FILE: text.optional(),
  HTTP_PROXY: text.optional(),
  HTTPS_PROXY: text.optional(),
  ALL_PROXY: text.optional(),
  NO_PROXY: text.optional(),
  ALLOWED_USERS: z
    .string()
    .default("")
    .transform(readList)
    .refine((users) => users.every((user) => /^[a-z]+:.+$/.test(user)), {
      error: "must be a list such as telegram:42,discord:81",
    }),
  MESSAGES_PER_MINUTE: whole(1, 100_000).default(20),
  // In hours; a year at most.
  MAX_EVENT_AGE: whole(1, 8760).default(24),
  TURNS_AT_ONCE: whole(1, 10_000).default(256),
  LOG_LEVEL: z
    .enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"], {
      error: "must be trace, debug, info, warn, error, fatal or silent",
    })
    .default("info"),
});

/** All settings, checked. */
export type Settings = z.infer<typeof schema>;

/** What must never be printed: the values of these settings. */
const SECRETS = [
  "OPENAI_API_KEY",
  "TELEGRAM_BOT_TOKEN",
  "TELEGRAM_WEBHOOK_SECRET",
  "DISCORD_BOT_TOKEN",
  "DINGTALK_CLIENT_SECRET",
  "STATUS_TOKEN",
] as const;

type Warn = (what: string) => void;

export interface LoadOptions {
  readonly dotEnv?: Source | undefined;
  /** Where the program was started, and the configuration file is looked for. */
  readonly folder?: string;
  /** Told what is no error, but worth a thought. */
  readonly warn?: Warn;
}

/** Programs write these in small letters too. */
const isProxy = (name: string) => name.endsWith("_PROXY");

/**
 * The settings of this run: the environment beats `.env` beats the configuration file beats the default; but an address
 * from a file receives no secret from elsewhere (see `mergeSources`). Throws a `ConfigError` that names each setting that
 * makes no sense, what was given and what is allowed.
 */
export function loadSettings(env: NodeJS.ProcessEnv, options: LoadOptions = {}): Settings {
  const { dotEnv, folder = HERE, warn = (what) => process.emitWarning(harmless(what)) } = options;
  const own = environment(settingsIn(env));
  const beside = dotEnv && { ...dotEnv, values: settingsIn(dotEnv.values) };
  const named = env["COLLOQUY_CONFIG"];
  const file = readFile({ named: named || textOf(dotEnv?.values["COLLOQUY_CONFIG"]), folder });
  const sources = [own, beside, file && fileSource(file.path, { ...file, named: Boolean(named), folder })];
  const { given, warnings } = mergeSources(
    sources.filter((source) => source !== undefined),
    folder,
  );
  for (const warning of warnings) warn(warning);
  checkPassword(env, given["STORE_URL"], own.values["STORE_URL"]);
  for (const name of SECRETS) {
    const path = given[`${name}_FILE`];
    // What is given itself comes before what stands in a file.
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

/** The values that must never come out in logs or errors. */
export function secretsOf(settings: Settings): string[] {
  return secretsIn(settings);
}

/** The same of settings that nobody has checked yet. */
export function secretsIn(given: Readonly<Record<string, unknown>>): string[] {
  const urls = Object.keys(given).filter((name) => /_(url|root|proxy)$/i.test(name));
  const secrets = SECRETS.map((name) => textOf(given[name]));
  return [...secrets, ...urls.flatMap((name) => passwordsIn(textOf(given[name]) ?? ""))].filter(
    (value) => value !== undefined,
  );
}

/** Of a source those that are settings. An empty one is none: compose files pass on what the host does not have. */
function settingsIn(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const name of Object.keys(schema.shape)) {
    const value = values[name] || (isProxy(name) ? values[name.toLowerCase()] : undefined);
    if (value) found[name] = value;
  }
  return found;
}

/** PostgreSQL's driver takes a password from the environment if the URL has none: not for a server that a file names. */
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

function readFile({ named, folder }: { readonly named: string | undefined; readonly folder: string }) {
  const path = named || DEFAULT_FILE;
  const place = inFolder(folder, path);
  if (!existsSync(place)) {
    if (!named) return undefined;
    throw new ConfigError("config_file", `COLLOQUY_CONFIG names the file ${path}, which does not exist`);
  }
  // Loaded only where there is a file: everyone else starts sooner without it.
  const { parse }: typeof YAML = createRequire(import.meta.url)("yaml");
  let content: unknown;
  try {
    content = parse(readFileSync(place, "utf8"), { logLevel: "error" }) ?? {};
  } catch (error) {
    throw new ConfigError("config_file", `The configuration file ${path} ${whatIsWrong(error)}`);
  }
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    throw new ConfigError("config_file", `The configuration file ${path} must consist of lines NAME: value`);
  }
  for (const name of Object.keys(content)) {
    if (!Object.hasOwn(schema.shape, name)) {
      throw new ConfigError("config_file", `${path}: there is no setting ${name}${didYouMean(name)}`);
    }
  }
  const values: Record<string, unknown> = { ...content };
  return { path, values };
}

function whatIsWrong(error: unknown): string {
  const { message } = error instanceof Error ? error : new Error("it cannot be understood");
  if (error instanceof Error && "syscall" in error) return `(COLLOQUY_CONFIG) cannot be read: ${message}`;
  // The lines below the first show the file itself, which may hold a secret there.
  return `is not valid YAML: ${message.split("\n")[0]?.replace(/:$/, "")}`;
}

/** Where container engines put secrets, for everyone in the container to read. */
const MOUNTED = "/run/secrets/";

/** A file with a secret is plain text, or JSON such as {"api": "…"}. */
function readSecret(path: string, name: string, warn: Warn): string {
  let content: string;
  try {
    content = readFileSync(path, "utf8").trim();
    const { mode } = statSync(path);
    if ((mode & 0o007) !== 0 && process.platform !== "win32" && !path.startsWith(MOUNTED)) {
      warn(`everyone on this machine can read the file ${path} (${name}_FILE); chmod 600 would end that`);
    }
  } catch (cause) {
    throw new ConfigError("key_file", `${name}_FILE: the file ${path} cannot be read`, { cause });
  }
  if (!content.startsWith("{")) {
    if (content) return content;
    throw new ConfigError("key_file", `${name}_FILE: the file ${path} is empty`);
  }
  const { data } = z.object({ api: text }).safeParse(jsonOrNull(content));
  if (data) return data.api;
  throw new ConfigError(
    "key_file",
    `${name}_FILE: the file ${path} must hold the secret alone, or JSON like {"api": "the secret"}`,
  );
}

function readList(list: string): string[] {
  return list
    .split(",")
    .map((entry) => entry.trim())
    .filter(Boolean);
}

/** Names alone stand for models of which nothing else is known. */
function readModels(given: unknown): unknown {
  const parsed = typeof given === "string" && given.trim().startsWith("{") ? jsonOrNull(given) : given;
  const names = typeof parsed === "string" ? parsed.split(",").map((name) => name.trim()) : parsed;
  if (Array.isArray(names))
    return Object.fromEntries(names.filter(Boolean).map((name) => [String(name), {}]));
  if (typeof names !== "object" || names === null) return names;
  return Object.fromEntries(Object.entries(names).map(([name, known]) => [name, known ?? {}]));
}

function jsonOrNull(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return null;
  }
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

/** An address that makes no sense may have its password anywhere. */
function isHidden(name: string, value: unknown): boolean {
  if ((SECRETS as readonly string[]).includes(name) || isProxy(name) || name === "STORE_URL") return true;
  return /_(URL|ROOT)$/.test(name) && /[@=]/.test(String(value));
}

function didYouMean(name: string): string {
  const known = Object.keys(schema.shape);
  const plain = (text: string) => text.toUpperCase().replace(/[^A-Z]/g, "");
  const near = known.find((other) => plain(other) === plain(name) || plain(other).includes(plain(name)));
  return near ? `; did you mean ${near}?` : `; the settings are ${known.join(", ")}`;
}

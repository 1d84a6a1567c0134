import { z } from "zod";
import { createRanges } from "../src/http/ranges.ts";
import { jsonOrNull } from "./json.ts";

/** Text that is not empty. */
export const nonEmptyText = z
  .string()
  .trim()
  .min(1)
  .regex(/^[^\0]*$/, "must not contain a NUL character");
const httpUrl = z
  .url({ protocol: /^https?$/, error: "must be a URL that begins with http:// or https://" })
  // The URL parser drops some of them and accepts others, which would then be printed.
  .refine((url) => !/\p{Cc}/u.test(url.trim()), { error: "must not contain control characters" });
const whole = (min: number, max: number) =>
  z.coerce
    .number({ error: "must be a whole number" })
    .int("must be a whole number")
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`);
const onOrOff = (usual: "on" | "off") =>
  z
    .enum(["on", "off"], { error: "must be on or off" })
    .default(usual)
    .transform((value) => value === "on");

const price = z.coerce.number({ error: "must be a number" }).min(0, "must be at least 0").max(1_000_000);

/** What the operator says about a model that users may choose. */
const modelEntry = z
  .strictObject({
    // In tokens.
    context: whole(512, 10_000_000).optional(),
    // Per million tokens, in CURRENCY.
    input: price.optional(),
    output: price.optional(),
  })
  .refine(({ input, output }) => (input === undefined) === (output === undefined), {
    error: "must have both prices, input and output, or neither",
  });

/** Every setting, under its name in the environment and in the configuration file. */
export const schema = z.object({
  OPENAI_API_KEY: nonEmptyText.optional(),
  OPENAI_API_KEY_FILE: nonEmptyText.optional(),
  OPENAI_BASE_URL: httpUrl.optional(),
  OPENAI_MODEL: nonEmptyText.default("gpt-5.4-mini"),
  OPENAI_FALLBACK_MODEL: nonEmptyText.optional(),
  OPENAI_CONTEXT_TOKENS: whole(512, 10_000_000).optional(),
  OPENAI_MAX_COMPLETION_TOKENS: whole(16, 10_000_000).optional(),
  // A list of names, or an object with details for each name.
  OPENAI_MODELS: z
    .preprocess(
      readModels,
      z.record(nonEmptyText, modelEntry, {
        error:
          'must be a list such as gpt-5.4-mini,gpt-5.4, or JSON such as {"gpt-5.4": {"context": 400000, "input": 1.25, "output": 10}}',
      }),
    )
    .default({}),
  CURRENCY: nonEmptyText.max(10, "must be at most 10 characters, such as $ or CNY").default("$"),
  // Includes the persona's message.
  HISTORY_MESSAGES: whole(3, 10_000).optional(),
  HISTORY_TOKENS: whole(100, 10_000_000).optional(),
  HISTORY_HOURS: whole(1, 87_600).optional(),
  HISTORY_POLICY: z
    .enum(["drop", "summarise", "reset"], { error: "must be drop, summarise or reset" })
    .default("drop"),
  PERSONA: nonEmptyText
    .regex(/^[\w-]+$/, "must be the name of a file in config/personas, without .md")
    .default("assistant"),
  // Rejects only what cannot be a token; the server decides whether it is valid.
  TELEGRAM_BOT_TOKEN: nonEmptyText
    .regex(/^[\w:-]+$/, "must be the token that @BotFather gives, such as 123456:ABC-DEF")
    .optional(),
  TELEGRAM_BOT_TOKEN_FILE: nonEmptyText.optional(),
  TELEGRAM_API_ROOT: httpUrl.default("https://api.telegram.org"),
  TELEGRAM_WEBHOOK_URL: httpUrl.optional(),
  TELEGRAM_WEBHOOK_SECRET: nonEmptyText
    .regex(/^[\w-]{1,256}$/, "must be 1 to 256 letters, digits, _ and -")
    .optional(),
  TELEGRAM_WEBHOOK_SECRET_FILE: nonEmptyText.optional(),
  TELEGRAM_RICH: z
    .enum(["auto", "classic", "rich"], { error: "must be auto, classic or rich" })
    .default("auto"),
  TELEGRAM_DRAFTS: onOrOff("off"),
  DISCORD_BOT_TOKEN: nonEmptyText.optional(),
  DISCORD_BOT_TOKEN_FILE: nonEmptyText.optional(),
  DISCORD_API_ROOT: httpUrl.optional(),
  DISCORD_FILE_AFTER: whole(1, 1000).default(20),
  DINGTALK_CLIENT_ID: nonEmptyText.optional(),
  DINGTALK_CLIENT_SECRET: nonEmptyText.optional(),
  DINGTALK_CLIENT_SECRET_FILE: nonEmptyText.optional(),
  DINGTALK_API_ROOT: httpUrl.optional(),
  DINGTALK_MODE: z.enum(["stream", "callback"], { error: "must be stream or callback" }).default("stream"),
  DINGTALK_CARD_TEMPLATE: nonEmptyText.optional(),
  DINGTALK_CARD_FIELD: nonEmptyText.default("content"),
  STORE_URL: nonEmptyText.default("sqlite:data/colloquy.sqlite"),
  HTTP_HOST: nonEmptyText.default("127.0.0.1"),
  HTTP_PORT: whole(0, 65_535).default(8080),
  WEB_CHAT: onOrOff("on"),
  // The public address of the web chat, if it is open to other machines.
  WEB_URL: httpUrl.optional(),
  // Proxies in front of the HTTP port whose X-Forwarded-For header is trusted.
  TRUSTED_PROXIES: z
    .string()
    .default("")
    .transform(readList)
    .refine((proxies) => proxies.every((proxy) => createRanges().add(proxy)), {
      error: "must be a list of addresses and ranges such as 127.0.0.1,10.0.0.0/8",
    }),
  STATUS_TOKEN: nonEmptyText
    .min(16, "must have at least 16 characters, such as the output of openssl rand -hex 16")
    .optional(),
  STATUS_TOKEN_FILE: nonEmptyText.optional(),
  HTTP_PROXY: nonEmptyText.optional(),
  HTTPS_PROXY: nonEmptyText.optional(),
  ALL_PROXY: nonEmptyText.optional(),
  NO_PROXY: nonEmptyText.optional(),
  ALLOWED_USERS: z
    .string()
    .default("")
    .transform(readList)
    .refine((users) => users.every((user) => /^[a-z]+:.+$/.test(user)), {
      error: "must be a list such as telegram:42,discord:81",
    }),
  MESSAGES_PER_MINUTE: whole(1, 100_000).default(20),
  // In hours, up to a year.
  MAX_EVENT_AGE: whole(1, 8760).default(24),
  TURNS_AT_ONCE: whole(1, 10_000).default(256),
  LOG_LEVEL: z
    .enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"], {
      error: "must be trace, debug, info, warn, error, fatal or silent",
    })
    .default("info"),
});

function readList(list: string): string[] {
  return list
    .split(",")
    .map((entry) => entry.trim())
    .filter(Boolean);
}

/** Accepts a list of names or an object; a name without details becomes an empty entry. */
function readModels(given: unknown): unknown {
  const parsed = typeof given === "string" && given.trim().startsWith("{") ? jsonOrNull(given) : given;
  const names = typeof parsed === "string" ? parsed.split(",").map((name) => name.trim()) : parsed;
  if (Array.isArray(names))
    return Object.fromEntries(names.filter(Boolean).map((name) => [String(name), {}]));
  if (typeof names !== "object" || names === null) return names;
  return Object.fromEntries(Object.entries(names).map(([name, entry]) => [name, entry ?? {}]));
}

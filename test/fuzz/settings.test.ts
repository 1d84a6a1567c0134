import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { loadSettings, secretsOf } from "../../config/settings.ts";
import { ConfigError, StoreError } from "../../src/errors.ts";
import { startProgram } from "../../src/program/start.ts";
import { createConsole } from "../../adapters/console/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { captureLog } from "../support/log.ts";
import { runProgram } from "../support/program.ts";
import { SEED } from "./odd.ts";

const NAMES = `
  OPENAI_API_KEY OPENAI_BASE_URL OPENAI_MODEL OPENAI_FALLBACK_MODEL
  OPENAI_CONTEXT_TOKENS PERSONA TELEGRAM_BOT_TOKEN TELEGRAM_API_ROOT
  TELEGRAM_WEBHOOK_URL TELEGRAM_WEBHOOK_SECRET TELEGRAM_RICH TELEGRAM_DRAFTS
  DISCORD_BOT_TOKEN DISCORD_API_ROOT DISCORD_FILE_AFTER DINGTALK_CLIENT_ID
  DINGTALK_CLIENT_SECRET DINGTALK_MODE DINGTALK_CARD_TEMPLATE DINGTALK_CARD_FIELD
  OPENAI_MODELS CURRENCY HISTORY_MESSAGES HISTORY_TOKENS HISTORY_HOURS HISTORY_POLICY
  STORE_URL HTTP_HOST HTTP_PORT HTTP_PROXY
  HTTPS_PROXY ALL_PROXY NO_PROXY ALLOWED_USERS MESSAGES_PER_MINUTE
  MAX_EVENT_AGE TURNS_AT_ONCE LOG_LEVEL OPENAI_API_KEY_FILE
  COLLOQUY_CONFIG
`
  .trim()
  .split(/\s+/);
const value = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.webUrl(),
  fc.constantFrom(
    "0",
    "-1",
    "1e9",
    "NaN",
    "Infinity",
    "0x10",
    " 5 ",
    "on",
    "auto",
    "__proto__",
    "constructor",
  ),
  fc.constantFrom(
    "http://",
    "http://[",
    "https://x:99999",
    "http://a b",
    "sqlite:",
    "memory:",
    "redis://u:p@h",
  ),
  fc.constantFrom("/", ".", "..", "\0", "a\nb", "telegram:42", ":", "x".repeat(10_000), "package.json"),
);

test("settings of any value are taken, or refused by name; nothing else", () => {
  const env = fc.dictionary(fc.constantFrom(...NAMES), value, { maxKeys: 6, noNullPrototype: true });
  const outcomes = new Set<string>();
  fc.assert(
    fc.property(env, (env) => {
      try {
        const settings = loadSettings(env);
        outcomes.add("taken");
        expect(secretsOf(settings).every((secret) => typeof secret === "string")).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
        outcomes.add((error as ConfigError).code);
        expect((error as ConfigError).message).toMatch(/[A-Z]+_[A-Z_]+|PERSONA|CURRENCY/);
      }
    }),
    { numRuns: 600, seed: SEED },
  );
  expect([...outcomes].toSorted()).toEqual(["config_file", "key_file", "settings", "taken"]);
  expect(Object.keys(Object.prototype)).toEqual([]);
});

test("a configuration file of any content is taken, or refused by its path", () => {
  const file = join(temporaryFolder(), "colloquy.yaml");
  const line = fc.tuple(fc.constantFrom(...NAMES, "__proto__", "constructor"), fc.oneof(value, fc.json()));
  const content = fc.oneof(
    fc
      .array(line, { maxLength: 4 })
      .map((lines) => lines.map(([name, text]) => `${name}: ${text}`).join("\n")),
    fc.string({ unit: "binary" }),
    fc.json(),
    fc.constantFrom(
      "a: &a [*a]",
      BOMB,
      "<<: *x",
      "? [1]\n: 2",
      "%YAML 9",
      "---\n---\n",
      "- 1",
      "null",
      "!!js x",
    ),
  );
  fc.assert(
    fc.property(content, (content) => {
      writeFileSync(file, content);
      try {
        loadSettings({ COLLOQUY_CONFIG: file });
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
      }
    }),
    { numRuns: 250, seed: SEED },
  );
  expect(Object.keys(Object.prototype)).toEqual([]);
});

test("a broken file is told by its line, not by what stands there, which may be a secret", () => {
  const file = join(temporaryFolder(), "colloquy.yaml");
  writeFileSync(file, "HTTP_PORT: 1\nTELEGRAM_BOT_TOKEN: [7000000001:a-secret\n");
  expect(() => loadSettings({ COLLOQUY_CONFIG: file })).toThrow(/not valid YAML: .*line 3/);
  expect(() => loadSettings({ COLLOQUY_CONFIG: file })).not.toThrow(/a-secret/);
});

test("what no check can foresee fails with a sentence when the program starts", async () => {
  const oddities: readonly Record<string, string>[] = [
    { STORE_URL: "sqlite:/" },
    { STORE_URL: `sqlite:${"x".repeat(5000)}` },
    { HTTP_HOST: "not a host" },
    { HTTP_HOST: "256.256.256.256" },
    { HTTP_HOST: "\u{1F4A9}" },
    { PERSONA: "constructor" },
    { HTTPS_PROXY: "http://[" },
    { HTTPS_PROXY: "socks6://x" },
    { OPENAI_BASE_URL: "http://user:pass@x?y#z" },
  ];
  for (const odd of oddities) {
    const settings = loadSettings({ STORE_URL: "memory:", HTTP_PORT: "0", OPENAI_API_KEY: "k", ...odd });
    const { log } = captureLog();
    const outcome = await startProgram({ settings, log, console: silentConsole() }).catch(
      (error: unknown) => error,
    );
    if (outcome instanceof Error) {
      expect([odd, outcome.message.length > 20]).toEqual([odd, true]);
      expect([
        odd,
        outcome instanceof ConfigError || outcome instanceof StoreError || /HTTP_HOST/.test(outcome.message),
      ]).toEqual([odd, true]);
    } else await (outcome as { stop(): Promise<void> }).stop();
  }
});

test("on the command line nobody sees a stack", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "keys"));
  writeFileSync(join(folder, "bomb.yaml"), BOMB);
  const wrong: readonly (readonly [dotEnv: string, named: RegExp])[] = [
    [`COLLOQUY_CONFIG=${folder}`, /COLLOQUY_CONFIG/],
    [`COLLOQUY_CONFIG=${join(folder, "bomb.yaml")}`, /bomb\.yaml/],
    [`OPENAI_API_KEY_FILE=${join(folder, "keys")}`, /OPENAI_API_KEY_FILE/],
    ["HTTP_HOST='not a host'", /HTTP_HOST/],
  ];
  await Promise.all(
    wrong.map(async ([dotEnv, named]) => {
      const program = runProgram(["start"], { STORE_URL: "memory:" }, dotEnv);
      expect([1, 2]).toContain(await program.exited);
      expect(program.errors()).toMatch(named);
      expect(program.errors()).not.toMatch(/\n\s+at /);
    }),
  );
});

/** Lists of lists of the same list: a billion of them, if one believed it. */
const BOMB = Array.from(
  { length: 10 },
  (_, n) =>
    `a${n}: &a${n} [${Array(10)
      .fill(n === 0 ? "x" : `*a${n - 1}`)
      .join(", ")}]`,
).join("\n");

function silentConsole() {
  const input = (async function* () {})();
  return createConsole({
    input,
    output: process.stdout,
    user: "zoe",
    locale: "en",
    color: false,
    links: false,
  });
}

import { once } from "node:events";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findPersona, loadPersonas } from "../../config/personas.ts";
import { schema } from "../../config/schema.ts";
import { loadSettings, secretsIn, secretsOf } from "../../config/settings.ts";
import { ConfigError } from "../../src/errors.ts";
import { temporaryFolder } from "../support/folder.ts";

describe("settings", () => {
  test("have the documented defaults", () => {
    expect(loadSettings({})).toMatchObject({
      TELEGRAM_API_ROOT: "https://api.telegram.org",
      STORE_URL: "sqlite:data/colloquy.sqlite",
      HTTP_HOST: "127.0.0.1",
      HTTP_PORT: 8080,
      ALLOWED_USERS: [],
      MAX_EVENT_AGE: 24,
      LOG_LEVEL: "info",
    });
  });

  test("the environment beats the file, the file beats the default, an empty variable is none", () => {
    const file = fileWith("HTTP_PORT: 9000\nLOG_LEVEL: debug # talkative\nOPENAI_MODEL: llama\n");
    const settings = loadSettings({ COLLOQUY_CONFIG: file, HTTP_PORT: "9001", OPENAI_MODEL: "" });
    expect(settings).toMatchObject({ HTTP_PORT: 9001, LOG_LEVEL: "debug", OPENAI_MODEL: "llama" });
  });

  test.each([
    [{ HTTP_PORT: "eighty" }, /HTTP_PORT must be a whole number \(given: "eighty"\)/],
    [{ HTTP_PORT: "70000" }, /HTTP_PORT must be at most 65535/],
    [{ OPENAI_BASE_URL: "localhost:11434" }, /OPENAI_BASE_URL must be a URL/],
    [{ MAX_EVENT_AGE: "0" }, /MAX_EVENT_AGE must be at least 1/],
    [{ LOG_LEVEL: "loud" }, /LOG_LEVEL must be trace.*given: "loud"/],
    [{ ALLOWED_USERS: "42" }, /ALLOWED_USERS must be a list such as telegram:42/],
    [{ TELEGRAM_BOT_TOKEN: "hush hush" }, /TELEGRAM_BOT_TOKEN must be the token that @BotFather gives/],
    [{ OPENAI_MODELS: '{"m": {"input": 1}}' }, /OPENAI_MODELS: m must have both prices/],
    [{ OPENAI_MODELS: '{"m": {"context": 4}}' }, /OPENAI_MODELS: m: context must be at least 512/],
    [{ OPENAI_MODELS: '{"m": {"contxt": 4000}}' }, /OPENAI_MODELS: m .*contxt/],
    [{ OPENAI_MODELS: '{"m": ' }, /OPENAI_MODELS must be a list such as .* or JSON/],
    [{ HISTORY_POLICY: "forget" }, /HISTORY_POLICY must be drop, summarise or reset/],
    [{ HISTORY_MESSAGES: "2" }, /HISTORY_MESSAGES must be at least 3/],
    [{ DINGTALK_CLIENT_ID: "ding1" }, /DINGTALK_CLIENT_ID and DINGTALK_CLIENT_SECRET belong together/],
    [{ DINGTALK_MODE: "poll" }, /DINGTALK_MODE must be stream or callback/],
    [{ HTTP_PORT: "x", LOG_LEVEL: "y" }, /HTTP_PORT.*; LOG_LEVEL/],
    [{ COLLOQUY_CONFIG: "/nowhere/x.yaml" }, /COLLOQUY_CONFIG.*\/nowhere\/x.yaml.*does not exist/],
  ])("%j is a clear error", (env, message) => {
    expect(() => loadSettings(env)).toThrow(message);
    expect(() => loadSettings(env)).toThrow(ConfigError);
    expect(() => loadSettings(env)).not.toThrow(/hush hush/);
  });

  test.each([
    ["HTTP_PROT: 1\n", /no setting HTTP_PROT/],
    ["botToken: 1\n", /no setting botToken; did you mean/],
    ["HTTP_PORT: [1\n", /not valid YAML.*line 2/s],
    ["- a\n- b\n", /must consist of lines/],
  ])("the file %j is a clear error", (content, message) => {
    expect(() => loadSettings({ COLLOQUY_CONFIG: fileWith(content) })).toThrow(message);
  });

  test("a list of users is split, whatever its spaces", () => {
    expect(loadSettings({ ALLOWED_USERS: "telegram:42, discord:81 ," }).ALLOWED_USERS).toEqual([
      "telegram:42",
      "discord:81",
    ]);
  });

  test.each([
    [{ OPENAI_MODELS: "m-1, m-2," }, { "m-1": {}, "m-2": {} }],
    [
      { OPENAI_MODELS: '{"m-1": {"context": 8000, "input": 0.5, "output": 2}, "m-2": null}' },
      { "m-1": { context: 8000, input: 0.5, output: 2 }, "m-2": {} },
    ],
    ["OPENAI_MODELS:\n  m-1: { context: 8000 }\n  m-2:\n", { "m-1": { context: 8000 }, "m-2": {} }],
    ["OPENAI_MODELS: [m-1, m-2]\n", { "m-1": {}, "m-2": {} }],
  ])("models are given as in %j", (given, models) => {
    const env = typeof given === "string" ? { COLLOQUY_CONFIG: fileWith(given) } : given;
    expect(loadSettings(env).OPENAI_MODELS).toEqual(models);
  });

  test("every secret may stand in a file", () => {
    const path = fileWith("from-a-file\n");
    const secrets = ["TELEGRAM_BOT_TOKEN", "DISCORD_BOT_TOKEN", "DINGTALK_CLIENT_SECRET"];
    const files = Object.fromEntries(secrets.map((name) => [`${name}_FILE`, path]));
    const settings = loadSettings({ ...files, DINGTALK_CLIENT_ID: "ding1" });
    expect(settings).toMatchObject(Object.fromEntries(secrets.map((name) => [name, "from-a-file"])));
    expect(secretsOf(settings)).toContain("from-a-file");
    expect(loadSettings({ DISCORD_BOT_TOKEN: "own", DISCORD_BOT_TOKEN_FILE: path }).DISCORD_BOT_TOKEN).toBe(
      "own",
    );
  });

  test("a key that everyone can read is reported", async () => {
    const path = fileWith("sk-open");
    chmodSync(path, 0o644);
    const warned = once(process, "warning");
    loadSettings({ OPENAI_API_KEY_FILE: path });
    expect(String(await warned)).toMatch(
      /everyone on this machine can read .*OPENAI_API_KEY_FILE.*chmod 600/,
    );
  });

  test.each([
    ["sk-plain\n", "sk-plain"],
    ['{"api": "sk-json"}', "sk-json"],
  ])("the key file %j is read", (content, key) => {
    expect(loadSettings({ OPENAI_API_KEY_FILE: fileWith(content) }).OPENAI_API_KEY).toBe(key);
  });

  test.each([
    ['{"key": "sk-1234567"}', /JSON like/],
    ['{"api": ', /JSON like/],
    ["", /is empty/],
  ])("the key file %j is a clear error that does not show it", (content, message) => {
    const load = () => loadSettings({ OPENAI_API_KEY_FILE: fileWith(content) });
    expect(load).toThrow(message);
    expect(load).not.toThrow(/sk-1234567/);
  });

  test("secrets are known, so that they can be kept out of logs", () => {
    const settings = loadSettings({
      OPENAI_API_KEY: "sk-secret",
      TELEGRAM_BOT_TOKEN: "1:telegram-secret",
      DISCORD_BOT_TOKEN: "discord-secret",
      HTTPS_PROXY: "http://ann:proxy%40secret@proxy:1",
    });
    expect(secretsOf(settings)).toEqual([
      "sk-secret",
      "1:telegram-secret",
      "discord-secret",
      "proxy%40secret",
      "proxy@secret",
    ]);
  });
});

test("personas are files; an unknown one is told with those that exist", () => {
  const personas = loadPersonas();
  expect(findPersona(personas, "python")).toBe("一个有10年Python开发经验的资深算法工程师");
  expect(() => findPersona(personas, "pirate")).toThrow(/no persona "pirate".*assistant, python/);
});

function fileWith(content: string): string {
  const path = join(temporaryFolder(), "file");
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

test("every setting that holds a secret can be given as a file, and is kept out of the log by that", () => {
  const names = Object.keys(schema.shape);
  const secrets = names.filter((name) => /_(?:TOKEN|KEY|SECRET|PASSWORD)$/.test(name));
  expect(secrets.length).toBeGreaterThan(4);
  for (const name of secrets) expect(names).toContain(`${name}_FILE`);
  const values = Object.fromEntries(secrets.map((name) => [name, `value of ${name}`]));
  expect(secretsIn(values)).toEqual(Object.values(values));
});

import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { loadSettings } from "../../config/settings.ts";
import { readDotEnv } from "../../config/sources.ts";
import { ConfigError } from "../../src/errors.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runProgram } from "../support/program.ts";

type Values = Readonly<Record<string, string>>;

/** Each address with each secret that it would receive. */
const ADDRESSES = {
  OPENAI_BASE_URL: "http://stranger.example/v1",
  TELEGRAM_API_ROOT: "http://stranger.example",
  TELEGRAM_WEBHOOK_URL: "https://stranger.example/hook",
  DISCORD_API_ROOT: "http://stranger.example/api",
  DINGTALK_API_ROOT: "http://stranger.example",
  HTTP_PROXY: "http://stranger.example:1",
  HTTPS_PROXY: "http://stranger.example:1",
  ALL_PROXY: "socks5://stranger.example:1",
} as const;
const SECRETS = {
  OPENAI_API_KEY: "sk-the-operators-own",
  TELEGRAM_BOT_TOKEN: "1:the-operators-own",
  TELEGRAM_WEBHOOK_SECRET: "the-operators-own",
  DISCORD_BOT_TOKEN: "the.operators.own",
  DINGTALK_CLIENT_SECRET: "the-operators-own",
} as const;
const PAIRS = (Object.keys(ADDRESSES) as (keyof typeof ADDRESSES)[]).flatMap((address) =>
  (Object.keys(SECRETS) as (keyof typeof SECRETS)[])
    .filter((secret) => address.endsWith("_PROXY") || address.split("_")[0] === secret.split("_")[0])
    .map((secret) => [address, secret] as const),
);

const id = { DINGTALK_CLIENT_ID: "ding1" };

function lines(values: Values, between: string): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}${between}${value}\n`)
    .join("");
}

/** Loads the settings as the program does in a folder with these files. */
function load(env: Values, { dotEnv, yaml, folder = temporaryFolder() }: Folder) {
  if (dotEnv) writeFileSync(join(folder, ".env"), lines(dotEnv, "="));
  mkdirSync(join(folder, "config"), { recursive: true });
  if (yaml) writeFileSync(join(folder, "config/colloquy.yaml"), lines(yaml, ": "));
  const warnings: string[] = [];
  const warn = (what: string) => void warnings.push(what);
  const settings = loadSettings(env, { dotEnv: readDotEnv(folder), folder, warn });
  return { settings, warnings };
}

interface Folder {
  readonly dotEnv?: Values;
  readonly yaml?: Values;
  readonly folder?: string;
}

describe.each(PAIRS)("%s of a foreign folder", (address, secret) => {
  const theirs = { [address]: ADDRESSES[address] };
  const withId: Values = secret === "DINGTALK_CLIENT_SECRET" ? id : {};
  const own: Values = { ...withId, [secret]: SECRETS[secret] };

  test(`does not receive the ${secret} of the environment`, () => {
    for (const files of [{ dotEnv: theirs }, { yaml: theirs }]) {
      expect(() => load(own, files)).toThrow(ConfigError);
      const named = "dotEnv" in files ? "\\.env" : "config/colloquy\\.yaml";
      const sentence = `^${address} comes from ${named} and ${secret} from the environment, .*set ${address} in the environment`;
      expect(() => load(own, files)).toThrow(new RegExp(sentence));
      expect(() => load(own, files)).not.toThrow(/operators.own/);
    }
  });

  test(`does not receive the ${secret} of a file elsewhere, of which only the name is known there`, () => {
    const [elsewhere, folder] = [temporaryFolder(), temporaryFolder()];
    const [key, config] = [join(elsewhere, "key"), join(elsewhere, "c.yaml")];
    writeFileSync(key, SECRETS[secret], { mode: 0o600 });
    writeFileSync(config, lines(own, ": "));
    symlinkSync(key, join(folder, "link"));
    const naming = (path: string) => ({ ...theirs, ...withId, [`${secret}_FILE`]: path });
    for (const [env, dotEnv] of [
      [{}, naming(key)],
      [{}, naming(join(folder, "link"))],
      [withId, { ...theirs, [`${secret}_FILE`]: key }],
      [{ ...withId, [`${secret}_FILE`]: key }, theirs],
      [{ COLLOQUY_CONFIG: config }, theirs],
      [{}, { ...theirs, COLLOQUY_CONFIG: config }],
    ] as const)
      expect(() => load(env, { dotEnv, folder })).toThrow(`${address} comes from .env and ${secret} from `);
    const linked = temporaryFolder();
    writeFileSync(join(elsewhere, ".env"), lines(own, "="));
    symlinkSync(join(elsewhere, ".env"), join(linked, ".env"));
    expect(() => load({}, { yaml: theirs, folder: linked })).toThrow(`${secret} from .env`);
  });

  test("is used with the secret of the same folder, also where the environment has another", () => {
    const inFile = { ...own, [secret]: `${SECRETS[secret]}-theirs` };
    for (const files of [{ dotEnv: { ...theirs, ...inFile } }, { dotEnv: inFile, yaml: theirs }]) {
      const alone = load({}, files);
      expect(alone.settings[secret]).toBe(inFile[secret]);
      expect(alone.settings[address]).toBe(ADDRESSES[address]);
      expect(alone.warnings).toEqual([]);
      const beside = load(
        { ...own, ...("DINGTALK_CLIENT_ID" in own && { DINGTALK_CLIENT_ID: "ding2" }) },
        files,
      );
      // What belongs to the secret comes along with it.
      expect(beside.settings).toMatchObject(inFile);
      expect(beside.settings[address]).toBe(ADDRESSES[address]);
      expect(beside.warnings.join()).toMatch(
        new RegExp(
          `^${address} comes from \\S+, so the ${secret} .* instead of the one from the environment$`,
        ),
      );
    }
  });

  test("is used where no secret is, or where the operator has said so", () => {
    expect(load({}, { dotEnv: theirs }).settings[address]).toBe(ADDRESSES[address]);
    const operators = load({ ...own, [address]: "http://own.example" }, { dotEnv: theirs });
    expect(operators.settings[address]).toBe("http://own.example");
    const config = join(temporaryFolder(), "c.yaml");
    writeFileSync(config, lines(theirs, ": "));
    const chosen = load({ ...own, COLLOQUY_CONFIG: config }, {});
    expect(chosen.settings[address]).toBe(ADDRESSES[address]);
    expect(chosen.warnings).toEqual([
      `${address} comes from ${config}, and receives the ${secret} from the environment`,
    ]);
  });
});

test("what a file says of the way past a proxy holds for that file's proxy alone", () => {
  const proxy = { https_proxy: "http://own.example:1" };
  expect(() => load(proxy, { dotEnv: { NO_PROXY: "*" } })).toThrow(
    /NO_PROXY comes from \.env and HTTPS_PROXY/,
  );
  expect(load(proxy, { dotEnv: { HTTPS_PROXY: "http://stranger.example:1" } }).settings.HTTPS_PROXY).toBe(
    proxy.https_proxy,
  );
  const both = { HTTPS_PROXY: "http://own.example:1", no_proxy: "a.example" };
  expect(load({}, { dotEnv: both }).settings.NO_PROXY).toBe("a.example");
});

test("where a file leads words, not keys, it is said", () => {
  const key = { OPENAI_API_KEY: SECRETS.OPENAI_API_KEY };
  const store = { STORE_URL: "postgres://ann:geheim99@stranger.example/db" };
  const { warnings } = load(key, { dotEnv: store });
  expect(warnings).toEqual([
    expect.stringMatching(/STORE_URL comes from \.env, and OPENAI_API_KEY from the env/),
  ]);
  expect(warnings.join()).not.toContain("geheim99");
  expect(load({}, { dotEnv: { ...key, ...store } }).warnings).toEqual([]);
  const page = { WEB_URL: "https://stranger.example" };
  expect(load({ STORE_URL: "memory:" }, { dotEnv: page }).warnings.join()).toMatch(/WEB_URL .*STORE_URL/);
  expect(load({}, { dotEnv: page }).warnings).toEqual([]);
  const withoutPassword = { STORE_URL: "postgres://ann@stranger.example/db" };
  expect(() => load({ PGPASSWORD: "geheim99" }, { dotEnv: withoutPassword })).toThrow(
    /STORE_URL .*PGPASSWORD/,
  );
  expect(() => load({ ...withoutPassword, PGPASSWORD: "geheim99" }, {})).not.toThrow();
});

/** A server of somebody else; everything that reaches it is kept. */
async function stranger() {
  const caught: string[] = [];
  const server = createServer((request, response) => {
    caught.push(`${request.url} ${request.headers.authorization}`);
    response.writeHead(404).end("{}");
  });
  server.on("connect", (request, socket) => {
    caught.push(`CONNECT ${request.url}`);
    socket.end("HTTP/1.1 403 no\r\n\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, caught };
}

test("the program that is started in such a folder sends nothing there, and says why", async () => {
  const ask = ["ask", "hello"];
  const key = { OPENAI_API_KEY: SECRETS.OPENAI_API_KEY };
  const cases: readonly (readonly [address: string, env: Values, words: readonly string[]])[] = [
    ["OPENAI_BASE_URL", key, ask],
    ["all_proxy", key, ask],
    ["HTTP_PROXY", { ...key, OPENAI_BASE_URL: "http://model.example/v1" }, ask],
    ["TELEGRAM_API_ROOT", { TELEGRAM_BOT_TOKEN: SECRETS.TELEGRAM_BOT_TOKEN }, ["start"]],
    ["DISCORD_API_ROOT", { DISCORD_BOT_TOKEN: SECRETS.DISCORD_BOT_TOKEN }, ["start"]],
    ["DINGTALK_API_ROOT", { ...id, DINGTALK_CLIENT_SECRET: SECRETS.DINGTALK_CLIENT_SECRET }, ["start"]],
  ];
  await Promise.all(
    cases.map(async ([address, env, words]) => {
      const { url, caught } = await stranger();
      const program = runProgram(words, { STORE_URL: "memory:", ...env }, `${address}=${url}\n`);
      program.endInput();
      expect([address, await program.exited, caught]).toEqual([address, 2, []]);
      expect(program.errors()).toContain(`colloquy: ${address.toUpperCase()} comes from .env and `);
    }),
  );
});

test("a folder gets nothing into the environment but how things look", async () => {
  // Each of these would have made the program, or a library in it, do what the folder wants.
  const dotEnv = lines(
    {
      NODE_TLS_REJECT_UNAUTHORIZED: "0",
      OPENAI_CUSTOM_HEADERS: "x-stranger: 1",
      PGHOST: "stranger.example",
      COLLOQUY_STEPS: "tell",
      LOG_LEVEL: "debug",
    },
    "=",
  );
  const { url, caught } = await stranger();
  const env = { STORE_URL: "memory:", OPENAI_API_KEY: "own-key", OPENAI_BASE_URL: url };
  const program = runProgram(["ask", "hello"], { ...env, NODE_OPTIONS: `--import=${PROBE}` }, dotEnv);
  program.endInput();
  await program.exited;
  expect(caught).toContain("/chat/completions Bearer own-key");
  expect(program.errors()).toContain(`at the end: ${JSON.stringify(["LOG_LEVEL"])}`);
});

/** Tells at the end which of the names above are in the program's environment. */
const PROBE = `data:text/javascript,${encodeURIComponent(`
  const names = ["NODE_TLS_REJECT_UNAUTHORIZED", "OPENAI_CUSTOM_HEADERS", "PGHOST", "COLLOQUY_STEPS", "LOG_LEVEL"];
  process.once("exit", () => {
    console.error("at the end: " + JSON.stringify(names.filter((name) => name in process.env)));
  });
`)}`;

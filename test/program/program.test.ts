import { createServer } from "node:http";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startTelegramSimulator } from "../../adapters/telegram/simulator/simulator.ts";
import { temporaryFolder } from "../support/folder.ts";
import { logLines, runProgram } from "../support/program.ts";
import { surroundings } from "../support/surroundings.ts";
import { fetchAt, linkIn, otherErrors } from "../support/local.ts";
import { freePort } from "../support/port.ts";
import { until } from "../../src/testing/until.ts";

describe("the console", () => {
  test("`start` without any settings answers what is piped in, and exits 0", async () => {
    const program = runProgram(["start"]);
    program.type("my name is Ann\nwhat is my name?\n");
    program.endInput();
    expect(await program.exited).toBe(0);
    expect(program.output()).toMatch(/Ann/);
    expect(otherErrors(program)).toBe("");
  });

  test("`ask` prints the answer and nothing else", async () => {
    const program = runProgram(["ask", "what is 12*3?"]);
    program.endInput();
    expect(await program.exited).toBe(0);
    expect(program.output()).toMatch(/36/);
    expect(program.output()).not.toMatch(/^\{/m);
  });

  test("`ask` takes the question from standard input", async () => {
    const program = runProgram(["ask"]);
    program.type("what is\n12*3?");
    program.endInput();
    expect(await program.exited).toBe(0);
    expect(program.output()).toMatch(/36/);
  });

  test("`ask` tells a failure on standard error, with exit code 1", async () => {
    const program = runProgram(["ask", "hello"], {
      OPENAI_API_KEY: "sk-test-123456",
      OPENAI_BASE_URL: "http://127.0.0.1:9/v1",
    });
    expect(await program.exited).toBe(1);
    expect(program.output().trim()).toBe("");
    expect(program.errors()).toMatch(/cannot reach the language model/);
    expect(program.errors()).toMatch(/127\.0\.0\.1:9/);
  });

  test("`chat --user` remembers each user over restarts", async () => {
    const store = { STORE_URL: `sqlite:${join(temporaryFolder(), "store.sqlite")}` };
    const talk = async (user: string, text: string) => {
      const program = runProgram(["chat", "--user", user], store);
      program.type(`${text}\n`);
      program.endInput();
      expect(await program.exited).toBe(0);
      return program.output();
    };
    await talk("ann", "my name is Ann");
    expect(await talk("ann", "what is my name?")).toMatch(/Ann/);
    expect(await talk("bob", "what is my name?")).not.toMatch(/Ann/);
  });

  test("a second terminal of the same person answers what was asked there, and nothing else", async () => {
    const { service, onConsole } = await surroundings({
      reply: ({ messages }) =>
        messages.at(-1)?.content === "slow"
          ? { text: "word ".repeat(100), pieces: 100, delayMs: 20 }
          : "quick",
    });
    const first = runProgram(["chat", "--user", "ann"], onConsole);
    first.type("slow\n");
    await until(() => service.requests.length === 1);
    const second = runProgram(["chat", "--user", "ann"], onConsole);
    second.type("hello\n");
    second.endInput();
    expect(await second.exited).toBe(0);
    expect(second.output().trim()).toBe("quick");
    first.endInput();
    expect(await first.exited).toBe(0);
    expect(first.output().match(/word/g)).toHaveLength(100);
    expect(service.requests).toHaveLength(2);
  });

  test("`/reset` and `/exit` work in a pipe", async () => {
    const program = runProgram(["chat"]);
    program.type("my name is Ann\n/reset\nwhat is my name?\n/exit\nnever read\n");
    expect(await program.exited).toBe(0);
    expect(program.output()).toMatch(/forgotten/);
    expect(program.output()).not.toMatch(/never read/);
  });

  test("100,000 characters arrive whole", async () => {
    const program = runProgram(["ask", "write 100000 characters"]);
    expect(await program.exited).toBe(0);
    expect(program.output().length).toBeGreaterThanOrEqual(100_000);
  });

  test("a question is needed", async () => {
    const program = runProgram(["ask"]);
    program.endInput();
    expect(await program.exited).toBe(2);
    expect(program.errors()).toMatch(/no question/);
  });
});

describe("a service", () => {
  test("says ready, serves health, answers, and ends with 0 on SIGTERM", async () => {
    const { telegram, onTelegram, onDiscord, discord } = await surroundings();
    const program = runProgram(["start"], { ...onTelegram, ...onDiscord });
    const ready = await program.ready();
    await until(() => discord.commands.length > 0);
    expect(ready["platforms"]).toEqual(["telegram", "discord"]);
    const url = String(ready["url"]);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ ready: true });
    expect((await fetch(`${url}/nowhere`)).status).toBe(404);
    telegram.say("ann", "hello");
    discord.ask("bob", "hi there");
    await until(() => telegram.shows("ann").includes("hello"));
    await until(() => discord.shows("bob").includes("hi there"));
    program.signal("SIGTERM");
    expect(await program.exited).toBe(0);
    expect(otherErrors(program)).toBe("");
    for (const line of program.output().trim().split("\n"))
      expect(() => JSON.parse(line) as unknown).not.toThrow();
    expect(logLines(program.output()).some(({ msg }) => /everyone may talk/.test(String(msg)))).toBe(true);
  });

  test("receives by webhook", async () => {
    const { telegram, onTelegram } = await surroundings();
    const port = await freePort();
    const program = runProgram(["start"], {
      ...onTelegram,
      HTTP_PORT: String(port),
      TELEGRAM_WEBHOOK_URL: `http://127.0.0.1:${port}/webhooks/telegram`,
    });
    await program.ready();
    telegram.say("ann", "by webhook");
    await until(() => telegram.shows("ann").includes("by webhook"));
    expect(telegram.calls.some(({ method }) => method === "getUpdates")).toBe(false);
    const forged = await fetch(`http://127.0.0.1:${port}/webhooks/telegram`, { method: "POST", body: "{}" });
    expect(forged.status).toBe(401);
  });

  test("no secret comes out, at the most talkative level", async () => {
    const { telegram, discord, service, onTelegram, onDiscord } = await surroundings();
    service.fail({ status: 401 });
    telegram.fail({ method: "sendMessage", how: { status: 500 } });
    const program = runProgram(["start"], { ...onTelegram, ...onDiscord, LOG_LEVEL: "trace" });
    await program.ready();
    telegram.say("ann", "hello");
    discord.say("ann", "hello");
    await until(() => telegram.shows("ann").length > 0 && discord.shows("ann").length > 0);
    program.signal("SIGTERM");
    await program.exited;
    const all = program.output() + program.errors();
    for (const secret of [telegram.token, discord.token, service.key]) expect(all).not.toContain(secret);
  });
});

describe("the end of a process", () => {
  test("a signal that comes twice at once ends in order; a second wish leaves at once", async () => {
    const { telegram, onTelegram } = await surroundings({
      reply: { text: "word ".repeat(200), pieces: 200, delayMs: 100 },
    });
    const first = runProgram(["start"], onTelegram);
    await first.ready();
    first.signal("SIGTERM");
    first.signal("SIGTERM");
    expect(await first.exited).toBe(0);
    const second = runProgram(["start"], onTelegram);
    await second.ready();
    telegram.say("ann", "hello");
    await until(() => telegram.shows("ann").length === 1);
    second.signal("SIGTERM");
    await until(() => /"stopping"/.test(second.output()));
    await new Promise((resolve) => setTimeout(resolve, 700));
    second.signal("SIGTERM");
    expect(await second.exited).toBe(1);
    expect(telegram.shows("ann").join()).not.toMatch(/(word ){200}/);
  });

  test("SIGTERM in the middle of an answer: the next start goes on", async () => {
    let requests = 0;
    const { telegram, onTelegram } = await surroundings({
      reply: () => {
        requests += 1;
        return {
          text: `${"slow and steady ".repeat(100)}END`,
          pieces: 100,
          delayMs: requests === 1 ? 200 : 5,
        };
      },
    });
    const first = runProgram(["start"], onTelegram);
    await first.ready();
    telegram.say("ann", "hello");
    await until(() => telegram.shows("ann")[0]?.includes("slow"));
    first.signal("SIGTERM");
    expect(await first.exited).toBe(0);
    expect(telegram.shows("ann").join("")).not.toContain("END");
    const second = runProgram(["start"], onTelegram);
    await second.ready();
    await until(() => telegram.shows("ann").join("").endsWith("END"), "the end", 60_000);
    expect(telegram.shows("ann")).toHaveLength(1);
  }, 90_000);
});

describe("what an operator gets wrong is a clear sentence", () => {
  test("a refused token", async () => {
    const { telegram } = await surroundings();
    const program = runProgram(["start"], {
      TELEGRAM_BOT_TOKEN: "1:wrong-token",
      TELEGRAM_API_ROOT: telegram.apiRoot,
    });
    expect(await program.exited).toBe(2);
    expect(program.errors()).toMatch(/TELEGRAM_BOT_TOKEN.*BotFather/);
    expect(program.errors()).not.toContain("wrong-token");
  });

  test("a refused token beside a good one leaves only that platform out", async () => {
    const { onTelegram, discord } = await surroundings();
    const program = runProgram(["start"], {
      ...onTelegram,
      DISCORD_BOT_TOKEN: "wrong.discord-token.x",
      DISCORD_API_ROOT: discord.apiRoot,
    });
    const ready = await program.ready();
    expect(ready["platforms"]).toEqual(["telegram"]);
    const health = await fetchAt(linkIn(program, "browser: "), "readyz");
    expect(health.status).toBe(503);
    expect(JSON.stringify(await health.json())).toMatch(/DISCORD_BOT_TOKEN/);
    expect(program.output()).not.toContain("discord-token");
  });

  test("a platform out of reach is waited for", async () => {
    const port = await freePort();
    const { onTelegram } = await surroundings();
    const program = runProgram(["start"], { ...onTelegram, TELEGRAM_API_ROOT: `http://127.0.0.1:${port}` });
    await until(() => /ECONNREFUSED/.test(program.output()));
    const token = onTelegram.TELEGRAM_BOT_TOKEN;
    const telegram = await startTelegramSimulator({ port, token });
    onTestFinished(() => telegram.close());
    await program.ready();
  });

  test("a port in use", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const program = runProgram(["start"], { HTTP_PORT: String(port) });
    expect(await program.exited).toBe(1);
    expect(program.errors()).toMatch(new RegExp(`port ${port}.*HTTP_PORT`));
  });

  test("a store that another process works with, and roles on one that cannot be shared", async () => {
    const { onTelegram } = await surroundings();
    const first = runProgram(["start"], onTelegram);
    await first.ready();
    const second = runProgram(["start"], onTelegram);
    expect(await second.exited).toBe(2);
    expect(second.errors()).toMatch(/Another process of the program uses this store .*: stop that process/);
    const worker = runProgram(["start", "--role", "worker"]);
    expect(await worker.exited).toBe(2);
    expect(worker.errors()).toMatch(/role worker is for processes that share a store: set STORE_URL/);
  });

  test.each([
    [
      { STORE_URL: "sqlite:/dev/null/store.sqlite" },
      1,
      /\/dev\/null\/store.sqlite \(STORE_URL\) cannot be read and written/,
    ],
    [{ STORE_URL: "mongodb://x" }, 2, /STORE_URL is "mongodb:\/\/x"\. Use sqlite/],
    [{ HTTP_PORT: "http" }, 2, /HTTP_PORT must be a whole number \(given: "http"\)/],
    [{ TELEGRAM_BOT_TOKEN: "a/b" }, 2, /TELEGRAM_BOT_TOKEN must be the token/],
    [
      { OPENAI_API_KEY_FILE: "/nowhere/key" },
      2,
      /OPENAI_API_KEY_FILE: the file \/nowhere\/key cannot be read/,
    ],
    [{ PERSONA: "pirate" }, 2, /no persona "pirate"/],
    [{ HTTPS_PROXY: "socks6://127.0.0.1:1" }, 2, /HTTPS_PROXY is not a valid proxy URL/],
  ])("%j", async (env, code, sentence) => {
    const program = runProgram(["start"], env);
    program.endInput();
    expect(await program.exited).toBe(code);
    expect(program.errors()).toMatch(sentence);
    expect(program.errors()).not.toMatch(/^\s+at /m);
  });

  test("unknown words and options", async () => {
    const program = runProgram(["dance"]);
    expect(await program.exited).toBe(2);
    expect(program.errors()).toMatch(/unknown command 'dance'/);
  });

  test("settings in a file, and in .env, which the environment beats", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "c.yaml"), "LOG_LEVEL: loud\n");
    const byFile = runProgram(["start"], { COLLOQUY_CONFIG: join(folder, "c.yaml") });
    expect(await byFile.exited).toBe(2);
    expect(byFile.errors()).toMatch(/LOG_LEVEL/);
    const byDotEnv = runProgram(["start"], {}, "PERSONA=pirate\n");
    expect(await byDotEnv.exited).toBe(2);
    expect(byDotEnv.errors()).toMatch(/pirate/);
    const beaten = runProgram(["ask", "hello"], { PERSONA: "assistant" }, "PERSONA=pirate\n");
    expect(await beaten.exited).toBe(0);
  });
});

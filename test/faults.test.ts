import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startTelegramSimulator } from "../adapters/telegram/simulator/simulator.ts";
import { type ModelSimulatorOptions, startModelSimulator } from "../src/testing/openai.ts";
import { openStore } from "../src/store/store.ts";
import { temporaryFolder } from "./support/folder.ts";
import { runProgram } from "./support/program.ts";
import { fetchAt, linkIn } from "./support/local.ts";
import { until } from "../src/testing/until.ts";

/** Sets the limits of a process that runs; a part of util-linux, which every Linux has. */
const PRLIMIT = "prlimit";

/** A running program whose store is about to fail. */
async function running(model: ModelSimulatorOptions = {}, more: Record<string, string> = {}) {
  const [telegram, service] = await Promise.all([startTelegramSimulator(), startModelSimulator(model)]);
  onTestFinished(async () => {
    await Promise.all([telegram.close(), service.close()]);
  });
  const store = `sqlite:${join(temporaryFolder(), "store.sqlite")}`;
  const env = {
    STORE_URL: store,
    OPENAI_API_KEY: service.key,
    OPENAI_BASE_URL: service.baseURL,
    OPENAI_MODEL: "simulated",
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.apiRoot,
    ...more,
  };
  const program = runProgram(["start"], env);
  await program.ready();
  const readyz = async () => {
    const response = await fetchAt(linkIn(program, "browser: "), "readyz");
    return `${response.status} ${await response.text()}`;
  };
  const answers = (person: string) => telegram.screen(person).filter(({ from }) => from === "bot").length;
  return { telegram, service, store, env, program, readyz, answers };
}

describe("a store that fails while the program runs", () => {
  test.skipIf(process.platform !== "linux")(
    "disk full: nothing is taken in, nothing is lost, people and operators are told, and it goes on by itself",
    async () => {
      const answer = { text: `${"word by word ".repeat(30)}END`, pieces: 30, delayMs: 60 };
      const { telegram, service, program, readyz, answers } = await running({ reply: answer });
      // No file of the process may grow or be written any more, which is what a full disk is like.
      const mayWrite = (bytes: string) =>
        execFileSync(PRLIMIT, ["--pid", String(program.pid), `--fsize=${bytes}:unlimited`]);
      const ended = (person: string) => telegram.shows(person).filter((text) => text.endsWith("END")).length;
      telegram.say("ann", "before");
      await until(() => service.requests.length === 1 && answers("ann") > 0);
      mayWrite("0");
      telegram.say("bob", "meanwhile");
      await until(() => telegram.shows("ann").some((text) => /cannot reach my memory/.test(text)));
      await until(async () =>
        /^503 .*store.sqlite \(STORE_URL\) cannot be (?:read and )?written/.test(await readyz()),
      );
      await until(async () => /"telegram":"[^"]*STORE_URL/.test(await readyz()));
      expect(answers("bob")).toBe(0);
      mayWrite("unlimited");
      await until(() => ended("bob") === 1, "the answer to Bob", 60_000);
      await until(() => ended("ann") === 1, "the answer to Ann", 90_000);
      await until(async () => (await readyz()) === '200 {"ready":true}');
      // Beside it, if the disk was full for long, the sentence about the memory.
      expect(answers("bob")).toBeLessThanOrEqual(2);
      // Her answer and the sentence about the memory.
      expect(answers("ann")).toBe(2);
    },
    150_000,
  );

  test("locked by another program for longer than one waits: the same", async () => {
    const { telegram, store, program, readyz } = await running();
    const other = await openStore(store);
    const keyv = await other.open("history");
    const ask = (sql: string) => (keyv.store as { query(sql: string): Promise<unknown> }).query(sql);
    await ask("BEGIN IMMEDIATE");
    telegram.say("ann", "hello");
    await until(async () => /^503 .*store/.test(await readyz()), "trouble at /readyz", 30_000);
    await until(() => /is locked by another program/.test(program.output()), "the sentence", 30_000);
    // Her message waits at Telegram, and by now she shall know.
    await until(() => telegram.shows("ann").some((text) => /cannot save messages right now/.test(text)));
    telegram.say("ann", "and this?");
    expect(telegram.shows("ann")).toHaveLength(1);
    expect(telegram.pending).toBe(2);
    await ask("COMMIT");
    await other.close();
    await until(() => telegram.shows("ann").includes("and this?"), "the answer", 60_000);
    await until(async () => (await readyz()) === '200 {"ready":true}');
    expect(telegram.shows("ann").slice(1)).toEqual(["hello", "and this?"]);
  }, 120_000);
});

describe("an error that nobody catches", () => {
  test("counts against what was worked on, unlike an orderly end", async () => {
    const slow = { text: "word ".repeat(200), pieces: 200, delayMs: 100 };
    const throws = "process.on('SIGUSR2',()=>{throw%20new%20Error('nobody%20catches%20this')})";
    const { telegram, store, env, program, answers } = await running(
      { reply: slow },
      { NODE_OPTIONS: `--import=data:text/javascript,${throws}` },
    );
    const attempts = async () => {
      const opened = await openStore(store);
      const entries: number[] = [];
      for await (const [, value] of (await opened.open("queue")).iterator?.({}) ?? [])
        entries.push((value as { attempts: number }).attempts);
      await opened.close();
      return entries;
    };
    telegram.say("ann", "hello");
    await until(() => answers("ann") > 0);
    program.signal("SIGUSR2");
    expect(await program.exited).toBe(1);
    expect(program.output()).toMatch(/ending after an unexpected error: nobody catches this/);
    const second = runProgram(["start"], env);
    await second.ready();
    await until(async () => (await attempts())[0] === 1);
    second.signal("SIGUSR2");
    expect(await second.exited).toBe(1);
    const third = runProgram(["start"], env);
    await third.ready();
    await until(async () => (await attempts())[0] === 2);
    third.signal("SIGTERM");
    expect(await third.exited).toBe(0);
    expect(await attempts()).toEqual([1]);
  }, 60_000);
});

describe("the command line", () => {
  test("a damaged store is a clear sentence at the start", async () => {
    const path = join(temporaryFolder(), "store.sqlite");
    writeFileSync(path, "no database at all ".repeat(500));
    const program = runProgram(["start"], { STORE_URL: `sqlite:${path}` });
    program.endInput();
    expect(await program.exited).toBe(1);
    expect(program.errors()).toContain(`The store ${path} (STORE_URL) is damaged`);
    expect(program.errors()).not.toMatch(/^\s+at /m);
  });

  test("a backup of a running program, put in its place, remembers everyone", async () => {
    const { telegram, service, store, env, program } = await running();
    telegram.say("ann", "my name is Ann");
    await until(() => telegram.shows("ann").includes("my name is Ann"));
    await until(() => /"answered"/.test(program.output()));
    const copy = join(temporaryFolder(), "copy.sqlite");
    const backup = runProgram(["backup", copy], { STORE_URL: store });
    expect(await backup.exited).toBe(0);
    const again = runProgram(["backup", copy], { STORE_URL: store });
    expect(await again.exited).toBe(2);
    expect(again.errors()).toMatch(/copy.sqlite already exists/);
    program.signal("SIGTERM");
    expect(await program.exited).toBe(0);
    const restored = runProgram(["start"], { ...env, STORE_URL: `sqlite:${copy}` });
    await restored.ready();
    telegram.say("ann", "what is my name?");
    await until(() => service.requests.length === 2);
    expect(service.requests[1]?.messages.map(({ content }) => content)).toContain("my name is Ann");
  });

  test("`dead` is empty at first; what is not there is 1, wrong use is 2", async () => {
    const { store } = await running();
    const env = { STORE_URL: store };
    const list = runProgram(["dead"], env);
    expect(await list.exited).toBe(0);
    expect(list.output()).toBe("There are no dead letters.\n");
    const unknown = runProgram(["dead", "retry", "telegram:1"], env);
    expect(await unknown.exited).toBe(1);
    expect(unknown.errors()).toMatch(/no dead letter telegram:1/);
    expect(await runProgram(["dead", "drop"], env).exited).toBe(2);
    const nowhere = runProgram(["dead"], { STORE_URL: "sqlite:/nowhere/store.sqlite" });
    expect(await nowhere.exited).toBe(2);
    expect(nowhere.errors()).toMatch(/the file \/nowhere\/store.sqlite does not exist/);
  });
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { createDiscord } from "../../adapters/discord/index.ts";
import { startDiscordSimulator } from "../../adapters/discord/simulator/simulator.ts";
import type { Adapter } from "../../src/adapter.ts";
import { createColloquy } from "../../src/colloquy.ts";
import { dropDead, listDead, retryDead } from "../../src/cli/dead.ts";
import { ConfigError } from "../../src/errors.ts";
import type { ChatEvent } from "../../src/event.ts";
import type { Handler } from "../../src/handler.ts";
import { createDemoModel } from "../../src/model/demo/demo.ts";
import { openDeadLetters } from "../../src/queue/dead.ts";
import { type QueueEntry, writeEntry } from "../../src/queue/entry.ts";
import { MAX_ATTEMPTS } from "../../src/queue/queue.ts";
import { openStore } from "../../src/store/store.ts";
import { createEcho } from "../example/echo-adapter.ts";
import { temporaryFolder } from "../support/folder.ts";
import { captureLog } from "../support/log.ts";
import { until } from "../../src/testing/until.ts";

const said = (id: string, text = "a secret question", name = "Ann") => ({
  id,
  platform: "paper",
  user: { id: "42", name },
  chat: { id: "42", kind: "direct" as const },
  to: {},
  text,
  at: 1,
});

/** A store with letters in it. */
async function withLetters(...ids: string[]): Promise<string> {
  const url = `sqlite:${join(temporaryFolder(), "store.sqlite")}`;
  const store = await openStore(url);
  const dead = await openDeadLetters(store);
  for (const [index, id] of ids.entries())
    await dead.add({ event: said(id), error: "it broke", attempts: MAX_ATTEMPTS, at: index });
  await store.close();
  return url;
}

describe("the list", () => {
  test("tells who, when and why, and what was said only if asked", async () => {
    const store = await withLetters("paper:1", "paper:2");
    const listed = await listDead({ store, text: false });
    expect(listed.split("\n")[0]).toBe(
      "paper:1\t1970-01-01T00:00:00.000Z\tpaper\t42 (Ann)\t8 attempts\tit broke",
    );
    expect(listed).not.toContain("secret");
    expect(await listDead({ store, text: true })).toContain("a secret question");
  });

  test("is one line a letter, whatever people are called and write", async () => {
    const url = await withLetters();
    const store = await openStore(url);
    const event = said("paper:1", "two\nlines", "\u001B[2JAnn\u202E");
    await (await openDeadLetters(store)).add({ event, error: "a\nb", attempts: 8, at: 1 });
    await store.close();
    const listed = await listDead({ store: url, text: true });
    expect(listed.trim()).not.toMatch(/[\n\u001B\u202E]/);
  });

  test("drops one, or each", async () => {
    const store = await withLetters("paper:1", "paper:2", "paper:3");
    expect(await dropDead({ store, ids: ["paper:2"], all: false })).toBe("1 dead letter is dropped.\n");
    expect(await listDead({ store, text: false })).not.toContain("paper:2");
    expect(await dropDead({ store, ids: [], all: true })).toBe("2 dead letters are dropped.\n");
    expect(await listDead({ store, text: false })).toBe("There are no dead letters.\n");
  });

  test("says what is wrong with the question", async () => {
    const store = await withLetters("paper:1");
    await expect(retryDead({ store, ids: [], all: false })).rejects.toThrow(ConfigError);
    await expect(retryDead({ store, ids: ["x"], all: true })).rejects.toThrow(ConfigError);
    await expect(dropDead({ store, ids: ["paper:9"], all: false })).rejects.toThrow(/no dead letter paper:9/);
    await expect(listDead({ store: "sqlite:/nowhere/s.sqlite", text: false })).rejects.toThrow(
      /the file \/nowhere\/s.sqlite does not exist/,
    );
    await expect(listDead({ store: "memory:", text: false })).rejects.toThrow(ConfigError);
  });
});

describe("a poisoned message", () => {
  test("ends in the list with an apology, what follows is answered, and another try answers it too", async () => {
    const { url, shows } = await echoPlatform();
    const store = `sqlite:${join(temporaryFolder(), "store.sqlite")}`;
    // An earlier run has tried it already; nobody has to wait for all the pauses here.
    await leaveInQueue(store, [
      { event: asked("echo:1", "poison"), number: 1, attempts: MAX_ATTEMPTS - 1 },
      { event: asked("echo:2", "还有呢？"), number: 2, attempts: 0 },
    ]);
    let broken = true;
    const echo = createEcho({ url, secret: "of the platform" });
    const bot = await createColloquy({
      adapters: [poisoned(echo, () => broken)],
      model: createDemoModel(),
      middleware: [({ event }) => `You said: ${event.text}`],
      store,
      log: captureLog().log,
    });
    onTestFinished(() => bot.stop());
    await bot.start();
    await until(() => shows().includes("You said: 还有呢？"));
    expect(shows()[0]).toMatch(/^I am sorry: I tried to answer this message many times/);
    expect(shows()).toHaveLength(2);
    const listed = await listDead({ store, text: false });
    expect(listed).toContain("echo:1\t");
    expect(listed).toContain("nothing prints this");
    broken = false;
    expect(await retryDead({ store, ids: ["echo:1"], all: false })).toMatch(/^1 dead letter is tried/);
    await until(() => shows().includes("You said: poison"));
    await until(async () => (await listDead({ store, text: false })) === "There are no dead letters.\n");
  });

  test("leaves no half of an answer standing: the apology takes its place", async () => {
    const discord = await startDiscordSimulator();
    onTestFinished(() => discord.close());
    const store = `sqlite:${join(temporaryFolder(), "store.sqlite")}`;
    const answers: Handler = async function* () {
      yield "This is how it begins";
      await until(() => discord.shows("ann").length > 0);
      yield " and this is poison";
    };
    const open = async () => {
      const { log } = captureLog();
      const adapter = createDiscord({
        token: discord.token,
        apiRoot: discord.apiRoot,
        pace: { direct: 20, group: 20 },
        log,
      });
      const bot = await createColloquy({
        adapters: [poisoned(adapter, () => true)],
        model: createDemoModel(),
        middleware: [answers],
        store,
        log,
      });
      onTestFinished(() => bot.stop());
      await bot.start();
      return bot;
    };
    const first = await open();
    discord.say("ann", "tell me");
    await until(() => discord.shows("ann").join().includes("how it begins"));
    await first.stop();
    const [entry] = await readQueue(store);
    await leaveInQueue(store, [{ ...entry!, attempts: MAX_ATTEMPTS - 1 }]);
    await open();
    await until(async () => (await readQueue(store)).length === 0);
    expect(discord.shows("ann")).toEqual([expect.stringMatching(/^I am sorry/)]);
  });

  test("that ends the process each time is in the list at the end", async () => {
    const store = `sqlite:${join(temporaryFolder(), "store.sqlite")}`;
    await leaveInQueue(store, [
      { event: asked("echo:1", "poison"), number: 1, attempts: MAX_ATTEMPTS - 2 },
      { event: asked("echo:2", "and this?"), number: 2, attempts: 0 },
    ]);
    const { url, shows } = await echoPlatform();
    const lives = () => spawn(process.execPath, ["--import", "tsx", BOT, store, url], { stdio: "pipe" });
    for (let life = 0; life < 2; life += 1) {
      const [, signal] = (await once(lives(), "exit")) as [number | null, string | null];
      expect(signal).toBe("SIGKILL");
    }
    const last = lives();
    onTestFinished(() => void last.kill("SIGKILL"));
    await until(() => shows().includes("You said: and this?"));
    expect(shows()[0]).toMatch(/^I am sorry/);
    expect(await listDead({ store, text: false })).toMatch(/^echo:1\t.*8 attempts/);
  }, 60_000);
});

const BOT = fileURLToPath(new URL("../support/poisoned-bot.ts", import.meta.url));

function asked(id: string, text: string): ChatEvent {
  const chat = { id: "ann", kind: "direct" as const };
  return { id, platform: "echo", user: { id: "ann" }, chat, to: { from: "ann" }, text, at: Date.now() };
}

/** A platform on which "poison" cannot be written. */
function poisoned<Body>(adapter: Adapter<Body>, broken: () => boolean): Adapter<Body> {
  const { dialect } = adapter;
  const print: typeof dialect.print = (blocks) => {
    if (broken() && JSON.stringify(blocks).includes("poison")) throw new Error("nothing prints this");
    return dialect.print(blocks);
  };
  return { ...adapter, dialect: { ...dialect, print } };
}

async function readQueue(url: string): Promise<QueueEntry[]> {
  const store = await openStore(url);
  const entries: QueueEntry[] = [];
  for await (const [, value] of (await store.open("queue")).iterator?.({}) ?? [])
    entries.push(value as QueueEntry);
  await store.close();
  return entries;
}

async function leaveInQueue(url: string, entries: readonly QueueEntry[]): Promise<void> {
  const store = await openStore(url);
  const queue = await store.open("queue");
  for (const entry of entries) await queue.set(entry.event.id, writeEntry(entry));
  await store.close();
}

/** What the echo platform shows, from any process. */
async function echoPlatform() {
  const shown = new Map<string, string>();
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      const { key, text } = body as { key: string; text: string };
      shown.set(key, text);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  return { url: `http://127.0.0.1:${port}`, shows: () => [...shown.values()] };
}

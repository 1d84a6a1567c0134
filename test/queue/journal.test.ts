import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Keyv from "keyv";
import { expect, test } from "vitest";
import { type ChatEvent, conversationKey } from "../../src/event.ts";
import { type DeadLetters, openDeadLetters } from "../../src/queue/dead.ts";
import { readEntry, writeEntry } from "../../src/queue/entry.ts";
import { createJournalQueue } from "../../src/queue/journal.ts";
import { createValueStore } from "../../src/store/values.ts";
import { MAX_ATTEMPTS, MAX_WAITING, type Queue } from "../../src/queue/queue.ts";
import type { Note } from "../../src/queue/running.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { describeQueue } from "../../src/testing/contracts/queue.ts";
import type { QueueUnderTest } from "../../src/testing/contracts/queue-under-test.ts";
import { captureLog } from "../support/log.ts";
import { until } from "../../src/testing/until.ts";

const { log } = captureLog();

describeQueue("journal in memory", async () => house(await openStore("memory:"), async () => undefined));

describeQueue("journal in SQLite", async () => {
  const folder = mkdtempSync(join(tmpdir(), "colloquy-"));
  const store = await openStore(`sqlite:${join(folder, "queue.sqlite")}`);
  return house(store, async () => rmSync(folder, { recursive: true }));
});

async function house(store: Store, cleanUp: () => Promise<void>): Promise<QueueUnderTest> {
  const keyv = await store.open("queue");
  const dead = await openDeadLetters(store);
  const note = createValueStore(store).at("running");
  const kills = new Map<Queue, () => void>();
  return {
    open: async ({ atOnce = 100 } = {}) => {
      let isAlive = true;
      // Nothing but what is stored is found by the next, and the dead store nothing.
      const whileAlive = <T>(write: () => Promise<T>) =>
        isAlive ? write() : new Promise<T>(() => undefined);
      const own = Object.assign(Object.create(keyv) as Keyv, {
        set: (key: string, value: unknown) => whileAlive(() => keyv.set(key, value)),
        delete: (key: string) => whileAlive(() => keyv.delete(key)),
      });
      const running = { ...note, save: (text: string) => whileAlive(() => note.save(text)) };
      const queue = queueOver({ keyv: own, dead, running, atOnce });
      kills.set(queue, () => (isAlive = false));
      return queue;
    },
    kill: async (queue) => kills.get(queue)?.(),
    dead,
    stored: async () => {
      const ids: string[] = [];
      for await (const [id] of keyv.iterator?.({}) ?? []) ids.push(String(id));
      return ids;
    },
    close: async () => {
      await store.close();
      await cleanUp();
    },
  };
}

const unnoted: Note = { load: async () => undefined, save: async () => undefined };

function queueOver(parts: { keyv: Keyv; dead: DeadLetters; running?: Note; atOnce: number }) {
  const interrupts = ({ command }: { command?: string }) => command === "reset";
  const { running = unnoted } = parts;
  return createJournalQueue({
    ...parts,
    running,
    keyOf: conversationKey,
    interrupts,
    graceMs: 100,
    pauseMs: 1,
    log,
  });
}

test("an event that cannot be stored is refused, and can be pushed again", async () => {
  const map = new Map<string, unknown>();
  let full = true;
  const disk = Object.assign(map, {
    set: (key: string, value: unknown) => {
      if (full) throw new Error("disk full");
      return Map.prototype.set.call(map, key, value);
    },
  });
  const dead = await openDeadLetters(await openStore("memory:"));
  const queue = queueOver({ keyv: new Keyv({ store: disk, throwOnErrors: true }), dead, atOnce: 10 });
  const seen: string[] = [];
  await queue.start({ work: async ({ id }) => void seen.push(id), giveUp: async () => undefined });
  const event = {
    id: "1",
    platform: "paper",
    user: { id: "ann" },
    chat: { id: "ann", kind: "direct" as const },
    to: {},
    text: "hello",
    at: 1,
  };
  await expect(queue.push(event)).rejects.toThrow("disk full");
  full = false;
  await queue.push(event);
  await queue.push({ ...event, id: "2" });
  await until(() => seen.length === 2);
  await queue.stop();
  expect(seen).toEqual(["1", "2"]);
});

test("what ends a process long after it began with an event is not held against the event", async () => {
  const store = await openStore("memory:");
  const keyv = await store.open("queue");
  const dead = await openDeadLetters(store);
  const event = {
    id: "1",
    platform: "paper",
    user: { id: "ann" },
    chat: { id: "ann", kind: "direct" as const },
    to: {},
    text: "hello",
    at: 1,
  };
  await keyv.set("1", writeEntry({ number: 1, event, attempts: MAX_ATTEMPTS - 1 }));
  const queue = queueOver({ keyv, dead, atOnce: 10 });
  const attempts = async () => readEntry("1", await keyv.get("1"))?.attempts;
  const ended = new AbortController();
  const counts: (number | undefined)[] = [];
  await queue.start({
    work: async () => {
      counts.push(await attempts());
      await once(ended.signal, "abort");
    },
    giveUp: async () => undefined,
  });
  await until(
    async () => (await attempts()) === MAX_ATTEMPTS - 1 && counts.length > 0,
    "the count to be taken back",
    25_000,
  );
  expect(counts).toEqual([MAX_ATTEMPTS]);
  ended.abort();
  await queue.stop();
});

test("the whole queue is limited, and accepts events again once there is room", async () => {
  const store = await openStore("memory:");
  const keyv = await store.open("queue");
  const queue = queueOver({ keyv, dead: await openDeadLetters(store), atOnce: 1000 });
  const said = (index: number): ChatEvent => ({
    id: `${index}`,
    platform: "paper",
    user: { id: `person ${index}` },
    chat: { id: `${index}`, kind: "direct" },
    to: {},
    text: "hello",
    at: 1,
  });
  const most = MAX_WAITING.overall;
  await Promise.all(Array.from({ length: most }, (_, index) => queue.push(said(index))));
  await expect(queue.push(said(most))).rejects.toMatchObject({ name: "Overflow", willBeTold: false });
  expect(await keyv.get(`${most}`)).toBeUndefined();
  await queue.push(said(0));
  await queue.push({ ...said(1), id: "reset", command: "reset" });
  let answered = 0;
  await queue.start({ work: async () => void (answered += 1), giveUp: async () => undefined });
  await until(() => answered === most + 1);
  await queue.push(said(most));
  await until(() => answered === most + 2);
  await queue.stop();
});

test("an event from an older version is answered, and one from a newer version stops the start", async () => {
  const store = await openStore("memory:");
  const keyv = await store.open("queue");
  const dead = await openDeadLetters(store);
  const event = {
    id: "1",
    platform: "paper",
    user: { id: "ann" },
    chat: { id: "ann", kind: "direct" },
    to: {},
    text: "hello",
    more: "than is known",
    at: 1,
  };
  await keyv.set("1", { number: 1, event });
  const seen: unknown[] = [];
  const worker = { work: async (found: unknown) => void seen.push(found), giveUp: async () => undefined };
  const queue = queueOver({ keyv, dead, atOnce: 10 });
  await queue.start(worker);
  await until(async () => !(await keyv.get("1")));
  expect(seen).toEqual([event]);
  await queue.stop();

  const newer = { version: 99, number: 1, event };
  await keyv.set("1", newer);
  await expect(queueOver({ keyv, dead, atOnce: 10 }).start(worker)).rejects.toThrow(
    /event 1 in the queue has version 99/,
  );
  expect(await keyv.get("1")).toEqual(newer);
});

test("what cannot be understood in the queue stays there, and holds up nobody", async () => {
  const store = await openStore("memory:");
  const keyv = await store.open("queue");
  const queue = queueOver({ keyv, dead: await openDeadLetters(store), atOnce: 10 });
  await keyv.set("1", { number: 1, event: { id: "1" } });
  await queue.start({ work: async () => undefined, giveUp: async () => undefined });
  expect(await keyv.get("1")).toBeDefined();
  await queue.stop();
});

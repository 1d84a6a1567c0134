import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Keyv from "keyv";
import { expect, test } from "vitest";
import { conversationKey } from "../../src/event.ts";
import { createJournalQueue } from "../../src/queue/journal.ts";
import { openStore, type Store } from "../../src/store.ts";
import { describeQueue, type QueueHouse } from "../contract/queue.ts";
import { captureLog } from "../support/log.ts";
import { until } from "../support/until.ts";

const { log } = captureLog();

describeQueue("journal in memory", async () => house(await openStore("memory:"), async () => undefined));

describeQueue("journal in SQLite", async () => {
  const folder = mkdtempSync(join(tmpdir(), "colloquy-"));
  const store = await openStore(`sqlite:${join(folder, "queue.sqlite")}`);
  return house(store, async () => rmSync(folder, { recursive: true }));
});

async function house(store: Store, cleanUp: () => Promise<void>): Promise<QueueHouse> {
  const keyv = await store.open("queue");
  return {
    open: async ({ atOnce = 100 } = {}) => queueOver(keyv, atOnce),
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

function queueOver(keyv: Keyv, atOnce: number) {
  const interrupts = ({ command }: { command?: string }) => command === "reset";
  return createJournalQueue({ keyv, keyOf: conversationKey, interrupts, atOnce, graceMs: 100, log });
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
  const queue = queueOver(new Keyv({ store: disk, throwOnErrors: true }), 10);
  const seen: string[] = [];
  await queue.start(async ({ id }) => void seen.push(id));
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

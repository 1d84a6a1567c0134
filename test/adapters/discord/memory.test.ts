import { expect, test } from "vitest";
import { z } from "zod";
import { createMemory } from "../../../adapters/discord/receive/memory.ts";

const session = { sessionId: "s", resumeURL: "ws://x", sequence: 1, shardCount: 1, shardId: 0 };
const past = z.object({
  sessions: z.array(z.object({ sequence: z.number() })),
  channels: z.array(z.tuple([z.string(), z.string(), z.boolean()])),
});

function setUp() {
  const saved: z.infer<typeof past>[] = [];
  const keep = {
    load: async () => undefined,
    save: async (text: string) => void saved.push(past.parse(JSON.parse(text))),
  };
  const memory = createMemory({ bot: "b", shard: { index: 0, count: 1 }, keep, log: undefined });
  memory.open(session);
  return { memory, saved };
}

test("an event that is not taken in holds back all that came after it, in every channel", async () => {
  const { memory, saved } = setUp();
  const [second, third, fourth] = [2, 3, 4].map((sequence) => memory.arrived(sequence));
  fourth?.({ channel: "12", message: "400" });
  second?.({ channel: "11", message: "200" });
  await memory.close();
  expect(saved.at(-1)).toMatchObject({ sessions: [{ sequence: 2 }], channels: [["11", "200", false]] });
  await memory.load(new AbortController().signal);
  third?.();
  await memory.close();
  expect(saved.at(-1)?.sessions).toEqual([{ ...saved.at(-1)?.sessions[0], sequence: 4 }]);
  expect(saved.at(-1)?.channels.map(([id]) => id)).toEqual(["11", "12"]);
});

test("thousands of events are a few writes, and the latest 1000 channels are remembered", async () => {
  const { memory, saved } = setUp();
  for (let n = 2; n < 5002; n++) {
    memory.arrived(n)({ channel: String(n % 2500), message: String(n) });
    if (n % 100 === 0) await Promise.resolve();
  }
  await memory.close();
  expect(saved.length).toBeLessThanOrEqual(3);
  expect(saved.at(-1)?.sessions[0]?.sequence).toBe(5001);
  expect(saved.at(-1)?.channels).toHaveLength(1000);
  expect(saved.at(-1)?.channels.at(-1)).toEqual(["1", "5001", false]);
});

test("what is seen is never older than before, and a heartbeat tells only what is stored", async () => {
  const { memory, saved } = setUp();
  memory.arrived(2)({ channel: "11", message: "1000" });
  memory.arrived(3)({ channel: "11", message: "999" });
  expect(memory.session()?.sequence).toBe(1);
  await memory.close();
  expect(memory.session()?.sequence).toBe(3);
  expect(saved.at(-1)?.channels).toEqual([["11", "1000", false]]);
});

test("a new session leaves every channel behind until it has caught up", () => {
  const { memory } = setUp();
  memory.arrived(2)({ channel: "11", message: "100" });
  expect(memory.behind()).toEqual([]);
  memory.open({ ...session, sessionId: "t" });
  expect(memory.behind()).toEqual([{ channel: "11", message: "100" }]);
  memory.caughtUp({ channel: "11", message: "150" });
  expect(memory.behind()).toEqual([]);
  memory.forget();
  expect(memory.session()).toBeNull();
});

const text = (sequence: number, more: object = {}) =>
  JSON.stringify({
    bot: "b",
    sessions: [{ ...session, sequence, ...more }],
    channels: [["11", String(sequence), false]],
  });

test("what another process has kept meanwhile replaces what this one knew", async () => {
  const saved: string[] = [];
  let kept = text(5);
  const keep = { load: async () => kept, save: async (fresh: string) => void saved.push(fresh) };
  const memory = createMemory({ bot: "b", shard: { index: 0, count: 1 }, keep, log: undefined });
  await memory.load(new AbortController().signal);
  const late = memory.arrived(6);
  memory.arrived(7);
  await memory.close();
  kept = text(90, { sessionId: "of the other" });
  await memory.load(new AbortController().signal);
  expect(memory.session()).toMatchObject({ sessionId: "of the other", sequence: 90 });
  // It came in over the old session: the new one's sequence is not its own.
  late({ channel: "11", message: "6" });
  await memory.close();
  expect(past.parse(JSON.parse(saved.at(-1) ?? ""))).toMatchObject({
    sessions: [{ sequence: 90 }],
    channels: [["11", "90", false]],
  });
});

test("a stop while it is being read leaves it unread", async () => {
  const keep = { load: async () => text(5), save: async () => {} };
  const memory = createMemory({ bot: "b", shard: { index: 0, count: 1 }, keep, log: undefined });
  await memory.load(AbortSignal.abort());
  expect(memory.session()).toBeNull();
});

test.each([
  ["another shard's", { shardId: 1, shardCount: 2 }],
  ["of another count", { shardCount: 3 }],
])("a session that is %s is not resumed, but the channels count", async (_, more) => {
  const keep = { load: async () => text(5, more), save: async () => {} };
  const memory = createMemory({ bot: "b", shard: { index: 0, count: 2 }, keep, log: undefined });
  await memory.load(new AbortController().signal);
  expect(memory.session()).toBeNull();
  memory.open(session);
  expect(memory.behind()).toEqual([{ channel: "11", message: "5" }]);
});

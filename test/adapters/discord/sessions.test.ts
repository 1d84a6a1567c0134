import { expect, test } from "vitest";
import { z } from "zod";
import { createSession } from "../../../adapters/discord/receive/sessions.ts";

const info = { sessionId: "s", resumeURL: "ws://x", sequence: 1, shardCount: 1, shardId: 0 };
const past = z.object({
  sessions: z.array(z.object({ sequence: z.number() })),
  channels: z.array(z.tuple([z.string(), z.string(), z.boolean()])),
});

function setUp() {
  const saved: z.infer<typeof past>[] = [];
  const value = {
    load: async () => undefined,
    save: async (text: string) => void saved.push(past.parse(JSON.parse(text))),
  };
  const session = createSession({ bot: "b", shard: { index: 0, count: 1 }, value, log: undefined });
  session.open(info);
  return { session, saved };
}

test("an event that is not accepted holds back all that came after it, in every channel", async () => {
  const { session, saved } = setUp();
  const [second, third, fourth] = [2, 3, 4].map((sequence) => session.arrived(sequence));
  fourth?.({ channel: "12", message: "400" });
  second?.({ channel: "11", message: "200" });
  await session.close();
  expect(saved.at(-1)).toMatchObject({ sessions: [{ sequence: 2 }], channels: [["11", "200", false]] });
  await session.load(new AbortController().signal);
  third?.();
  await session.close();
  expect(saved.at(-1)?.sessions).toEqual([{ ...saved.at(-1)?.sessions[0], sequence: 4 }]);
  expect(saved.at(-1)?.channels.map(([id]) => id)).toEqual(["11", "12"]);
});

test("thousands of events are a few writes, and the latest 1000 channels are remembered", async () => {
  const { session, saved } = setUp();
  for (let n = 2; n < 5002; n++) {
    session.arrived(n)({ channel: String(n % 2500), message: String(n) });
    if (n % 100 === 0) await Promise.resolve();
  }
  await session.close();
  expect(saved.length).toBeLessThanOrEqual(3);
  expect(saved.at(-1)?.sessions[0]?.sequence).toBe(5001);
  expect(saved.at(-1)?.channels).toHaveLength(1000);
  expect(saved.at(-1)?.channels.at(-1)).toEqual(["1", "5001", false]);
});

test("what is seen is never older than before, and a heartbeat tells only what is stored", async () => {
  const { session, saved } = setUp();
  session.arrived(2)({ channel: "11", message: "1000" });
  session.arrived(3)({ channel: "11", message: "999" });
  expect(session.info()?.sequence).toBe(1);
  await session.close();
  expect(session.info()?.sequence).toBe(3);
  expect(saved.at(-1)?.channels).toEqual([["11", "1000", false]]);
});

test("a new session leaves every channel behind until it has caught up", () => {
  const { session } = setUp();
  session.arrived(2)({ channel: "11", message: "100" });
  expect(session.behind()).toEqual([]);
  session.open({ ...info, sessionId: "t" });
  expect(session.behind()).toEqual([{ channel: "11", message: "100" }]);
  session.caughtUp({ channel: "11", message: "150" });
  expect(session.behind()).toEqual([]);
  session.discard();
  expect(session.info()).toBeNull();
});

const text = (sequence: number, more: object = {}) =>
  JSON.stringify({
    bot: "b",
    sessions: [{ ...info, sequence, ...more }],
    channels: [["11", String(sequence), false]],
  });

test("what another process has saved meanwhile replaces what this one knew", async () => {
  const saved: string[] = [];
  let stored = text(5);
  const value = { load: async () => stored, save: async (fresh: string) => void saved.push(fresh) };
  const session = createSession({ bot: "b", shard: { index: 0, count: 1 }, value, log: undefined });
  await session.load(new AbortController().signal);
  const late = session.arrived(6);
  session.arrived(7);
  await session.close();
  stored = text(90, { sessionId: "of the other" });
  await session.load(new AbortController().signal);
  expect(session.info()).toMatchObject({ sessionId: "of the other", sequence: 90 });
  // It came in over the old session: the new one's sequence is not its own.
  late({ channel: "11", message: "6" });
  await session.close();
  expect(past.parse(JSON.parse(saved.at(-1) ?? ""))).toMatchObject({
    sessions: [{ sequence: 90 }],
    channels: [["11", "90", false]],
  });
});

test("a stop while it is being read leaves it unread", async () => {
  const value = { load: async () => text(5), save: async () => {} };
  const session = createSession({ bot: "b", shard: { index: 0, count: 1 }, value, log: undefined });
  await session.load(AbortSignal.abort());
  expect(session.info()).toBeNull();
});

test.each([
  ["another shard's", { shardId: 1, shardCount: 2 }],
  ["of another count", { shardCount: 3 }],
])("a session that is %s is not resumed, but the channels count", async (_, more) => {
  const value = { load: async () => text(5, more), save: async () => {} };
  const session = createSession({ bot: "b", shard: { index: 0, count: 2 }, value, log: undefined });
  await session.load(new AbortController().signal);
  expect(session.info()).toBeNull();
  session.open(info);
  expect(session.behind()).toEqual([{ channel: "11", message: "5" }]);
});

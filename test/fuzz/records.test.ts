import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { createSession } from "../../adapters/discord/receive/sessions.ts";
import { createColloquy } from "../../src/colloquy.ts";
import { openHistory } from "../../src/conversation/conversation.ts";
import { listDead } from "../../src/cli/dead.ts";
import { StoreError } from "../../src/errors.ts";
import { type ChatEvent, conversationKey } from "../../src/event.ts";
import { createDemoModel } from "../../src/model/demo/demo.ts";
import { createValueStore } from "../../src/store/values.ts";
import { openStore } from "../../src/store/store.ts";
import { createEcho } from "./echo.ts";
import { temporaryFolder } from "../support/folder.ts";
import { captureLog } from "../support/log.ts";
import { until } from "../../src/testing/until.ts";
import { mostly, odd, SEED, some } from "./odd.ts";

/** A version that this program knows, and others. */
const version = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(1, 2) }, { weight: 1, arbitrary: odd });
const event = some(
  {
    command: mostly(fc.constantFrom("ask", "help")),
    silent: mostly(fc.constant(true)),
    attachments: mostly(fc.array(mostly(some({ kind: mostly(fc.constant("image")) })), { maxLength: 2 })),
    placeholder: mostly(fc.string()),
  },
  {
    id: mostly(fc.string()),
    platform: mostly(fc.constant("echo")),
    user: mostly(some({ name: odd, locale: mostly(fc.constant("zh")) }, { id: mostly(fc.string()) })),
    chat: mostly(fc.record({ id: mostly(fc.string()), kind: mostly(fc.constantFrom("direct", "group")) })),
    to: mostly(some({ chat: odd })),
    text: mostly(fc.string()),
    at: mostly(fc.nat()),
  },
);
const entry = some(
  {},
  { version, number: mostly(fc.nat()), attempts: mostly(fc.nat(3)), event: mostly(event) },
);
const letter = some(
  {},
  { event: mostly(event), error: mostly(fc.string()), attempts: mostly(fc.nat()), at: mostly(fc.nat()) },
);
const shown = fc.record({ ref: mostly(fc.string()), digest: mostly(fc.string()) });
const saying = fc.record({
  role: fc.constant("user"),
  content: mostly(fc.string()),
  at: mostly(fc.nat()),
});
const conversation = some(
  {
    last: mostly(fc.string()),
    apologised: mostly(fc.nat()),
    outbox: mostly(
      some({ text: odd, sending: odd }, { event: fc.string(), shown: mostly(fc.array(mostly(shown))) }),
    ),
  },
  {
    version: fc.constant(1),
    key: mostly(fc.constant("k")),
    messages: mostly(fc.array(mostly(saying), { maxLength: 2 })),
    usage: mostly(fc.constant({ turns: 0, input: 0, output: 0 })),
    answered: mostly(fc.array(mostly(fc.string()), { maxLength: 2 })),
  },
);

/** What a row may hold: a record, mostly, as Keyv writes it, else any JSON, or none. */
const row = (record: fc.Arbitrary<unknown>) =>
  fc.oneof(
    { weight: 8, arbitrary: mostly(record).map((value) => JSON.stringify({ value })) },
    fc.json(),
    fc.string(),
    fc.constantFrom("", "null", "{", '{"value":', '{"__proto__":{"value":1}}'),
  );

type Rows = readonly (readonly [key: string, text: string])[];

/** Writes rows as they stand, past Keyv, which puts its name before each key. */
async function write(url: string, table: string, rows: Rows): Promise<void> {
  const store = await openStore(url);
  const { store: sqlite } = await store.open(table);
  for (const [key, text] of rows) {
    const sql = `INSERT OR REPLACE INTO ${table} (key, value) VALUES (?, ?)`;
    await (sqlite as { query(sql: string, ...values: string[]): Promise<unknown> }).query(
      sql,
      `keyv:${key}`,
      text,
    );
  }
  await store.close();
}

const newStore = () => `sqlite:${join(temporaryFolder(), "store.sqlite")}`;

test("a queue full of nonsense keeps nobody from being answered, and stays there to be inspected", async () => {
  const url = newStore();
  const known = row(entry).filter((text) => !/"version":(?![12],)/.test(text));
  const rows = fc.sample(known, { numRuns: 100, seed: SEED }).map((text, n) => [`row-${n}`, text] as const);
  // Whole but for one field, and in the way of the good one.
  const poison = { ...eventOf("poison"), user: { id: "zoe", locale: 5 } };
  const value = { version: 2, number: 1, attempts: 0, event: poison };
  await write(url, "queue", [...rows, ["poison", JSON.stringify({ value })]]);
  const { log, lines } = captureLog();
  const echo = createEcho();
  const bot = await createColloquy({ adapters: [echo.adapter], model: createDemoModel(), store: url, log });
  onTestFinished(() => bot.stop());
  await bot.start();
  await echo.say({ id: "good", user: "zoe", text: "/help" });
  await until(() => echo.said("zoe").some((text) => text.includes("/reset")));
  expect(lines()).toContain("is invalid and was left there");
  expect(lines()).not.toMatch(/TypeError|RangeError|is not a function/);
  expect(Object.keys(Object.prototype)).toEqual([]);
});

test("an entry that a newer program has written is not touched, and said", async () => {
  const url = newStore();
  await write(url, "queue", [["a", JSON.stringify({ value: { version: 99 } })]]);
  const bot = await createColloquy({
    adapters: [],
    model: createDemoModel(),
    store: url,
    log: captureLog().log,
  });
  onTestFinished(() => bot.stop());
  await expect(bot.start()).rejects.toThrow(/The event a in the queue has version 99.*Run the newer program/);
});

test("a conversation is read as it was written, or is an error of the store; never something else", async () => {
  const url = newStore();
  const rows = fc.sample(row(conversation), { numRuns: 150, seed: SEED });
  await write(
    url,
    "history",
    rows.map((text, n) => [`row-${n}`, text] as const),
  );
  const store = await openStore(url);
  onTestFinished(() => store.close());
  const history = await openHistory(store);
  const outcomes = new Set<string>();
  for (let n = 0; n < rows.length; n += 1) {
    const found = await history.load(`row-${n}`).catch((error: unknown) => error);
    outcomes.add(found instanceof StoreError ? found.code : "read");
    if (found instanceof Error) expect(found).toBeInstanceOf(StoreError);
    else expect(found).toMatchObject({ messages: expect.any(Array), answered: expect.any(Array) });
  }
  expect([...outcomes].toSorted()).toEqual(["read", "record"]);
});

test("dead letters that make no sense are passed over, by the list and by the program", async () => {
  const url = newStore();
  const rows = fc.sample(row(letter), { numRuns: 100, seed: SEED });
  const good = { event: eventOf("fine"), error: "because", attempts: 8, at: 1 };
  await write(url, "dead", [
    ...rows.map((text, n) => [`row-${n}`, text] as const),
    ["late", JSON.stringify({ value: { ...good, at: 9e15 } })],
    ["fine", JSON.stringify({ value: good })],
  ]);
  const listed = await listDead({ store: url, text: true });
  expect(listed).toContain("fine\t1970");
  expect(listed.split("\n").every((line) => line === "" || /\t\d+ attempts\t/.test(line))).toBe(true);
});

test("a kept text that makes no sense is as good as none", async () => {
  const url = newStore();
  const session = some(
    {
      sequence: mostly(fc.nat()),
      shardCount: mostly(fc.constant(1)),
      resumeURL: mostly(fc.constant("ws://x")),
    },
    { sessionId: mostly(fc.string()), shardId: mostly(fc.constant(0)) },
  );
  const text = some(
    { application: mostly(fc.constant("1")) },
    {
      bot: fc.constant("1"),
      sessions: mostly(fc.array(mostly(session), { maxLength: 2 })),
      channels: mostly(fc.array(mostly(fc.tuple(fc.constant("1"), mostly(fc.constant("2")), odd)))),
    },
  );
  const kept = fc.oneof(
    mostly(text).map((value) => JSON.stringify(value)),
    fc.string(),
  );
  for (const value of fc.sample(row(kept), { numRuns: 40, seed: SEED })) {
    await write(url, "kept", [["discord", value]]);
    const store = await openStore(url);
    const values = createValueStore(store);
    const { log, lines } = captureLog();
    const shard = { index: 0, count: 1 };
    const session = createSession({ bot: "1", shard, value: values.at("discord"), log });
    await session.load(new AbortController().signal);
    expect(session.behind().every(({ channel }) => /^\d+$/.test(channel))).toBe(true);
    session.setApplication("77");
    await session.close();
    await store.close();
    expect(lines()).toBe("");
  }
});

test("no two people share a conversation, whatever their ids are made of, in the store itself", async () => {
  const store = await openStore(newStore());
  onTestFinished(() => store.close());
  const history = await openHistory(store);
  const part = fc.constantFrom(
    ":",
    "%",
    "%3A",
    "%3a",
    "a",
    "A",
    "\ud800",
    "\udfff",
    "\u{10000}",
    "\0",
    " ",
    "é",
    "e\u0301",
    "__proto__",
    "constructor",
    "'",
    "?",
  );
  const id = fc.oneof(
    fc.array(part, { maxLength: 3 }).map((parts) => parts.join("")),
    fc.string({ unit: "binary" }),
  );
  const place = fc.record({ platform: id, user: id, group: fc.option(id, { nil: undefined }) });
  const keys = new Map<string, string>();
  const halves = ["\ud800", "\ud801", "\udfff", "\ufffd"].map((user) => ({
    platform: "p",
    user,
    group: undefined,
  }));
  for (const who of [...halves, ...fc.sample(place, { numRuns: 250, seed: SEED })]) {
    const { platform, user, group } = who;
    const chat =
      group === undefined ? { id: user, kind: "direct" as const } : { id: group, kind: "group" as const };
    const key = conversationKey({ ...eventOf("x"), platform, user: { id: user }, chat });
    const name = Array.from(JSON.stringify(who), (letter) => letter.charCodeAt(0)).join();
    expect(keys.get(key) ?? name).toBe(name);
    if (keys.has(key)) continue;
    keys.set(key, name);
    expect(await history.load(key)).toMatchObject({ answered: [] });
    await history.save({ ...(await history.load(key)), answered: [name] });
  }
  for (const [key, name] of keys) expect((await history.load(key)).answered).toEqual([name]);
  expect(keys.size).toBeGreaterThan(180);
});

function eventOf(id: string): ChatEvent {
  return {
    id,
    platform: "echo",
    user: { id: "zoe" },
    chat: { id: "zoe", kind: "direct" },
    to: {},
    text: "",
    at: 0,
  };
}

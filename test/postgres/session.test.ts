import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { createTelegram } from "../../adapters/telegram/index.ts";
import { startTelegramSimulator } from "../../adapters/telegram/simulator/simulator.ts";
import type { ChatEvent } from "../../src/event.ts";
import { openPostgres } from "../../src/postgres/pool.ts";
import { openSession, type LockRequest } from "../../src/postgres/session.ts";
import { openTables } from "../../src/postgres/tables.ts";
import { shareHighWaterMarks } from "../../src/receive/high-water-marks.ts";
import { type Link, openLink } from "../support/link.ts";
import { captureLog } from "../support/log.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { until } from "../../src/testing/until.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.close());

const { log } = captureLog();
const TICK_MS = 20;

/** Some processes on one database, each by a link of its own. */
async function openProcesses(count: number) {
  const url = new URL(await server.createDatabase());
  const open = async () => {
    const link: Link = await openLink(Number(url.port));
    const db = openPostgres(Object.assign(new URL(url), { port: String(link.port) }).href);
    const session = openSession(db, log, TICK_MS);
    onTestFinished(async () => {
      await session.close();
      await db.close();
      await link.close();
    });
    return { link, db, session };
  };
  return Promise.all(Array.from({ length: count }, open)) as Promise<[Process, ...Process[]]>;
}

interface Process {
  readonly link: Link;
  readonly db: ReturnType<typeof openPostgres>;
  readonly session: ReturnType<typeof openSession>;
}

/** A request for a lock that records what becomes of it. */
function request(name = "one"): LockRequest & { events: string[] } {
  const events: string[] = [];
  return {
    group: "things",
    name,
    events,
    gained: () => void events.push("gained"),
    lost: () => void events.push("lost"),
  };
}

test("a lock is one process's at a time, and goes to the other when it is released", async () => {
  const [one, other] = await openProcesses(2);
  const [mine, theirs] = [request(), request()];
  const lock = one.session.lock(mine);
  await until(() => lock.held);
  const second = other?.session.lock(theirs);
  await second?.tried;
  expect(second?.held).toBe(false);
  await lock.release();
  await until(() => second?.held);
  expect([mine.events, theirs.events]).toEqual([["gained"], ["gained"]]);
});

test("a lock goes to the other when the connection is cut, and is asked for again", async () => {
  const [one, other] = await openProcesses(2);
  const [mine, theirs] = [request(), request()];
  const lock = one.session.lock(mine);
  await until(() => lock.held);
  const second = other?.session.lock(theirs);
  one.link.block();
  await until(() => second?.held);
  expect(mine.events).toEqual(["gained", "lost"]);
  expect(one.session.alive()).toBe(false);
  one.link.mend();
  await until(() => one.session.alive());
  await second?.release();
  await until(() => mine.events.length === 3);
  expect(mine.events).toEqual(["gained", "lost", "gained"]);
});

test("each knows how many locks of a group are held, and which are not", async () => {
  const [one, other] = await openProcesses(2);
  one.session.lock(request("a"));
  other?.session.lock(request("b"));
  await until(() => one.session.countLocks("things") === 2 && other?.session.countLocks("things") === 2);
  expect(await one.session.findUnlocked("things", ["a", "b", "c"])).toEqual(["c"]);
  other?.link.block();
  await until(() => one.session.countLocks("things") === 1);
  expect(await one.session.findUnlocked("things", ["a", "b", "c"])).toEqual(["b", "c"]);
});

test("messages reach the other processes, which notice when they may have missed some", async () => {
  const [one, other] = await openProcesses(2);
  const heard: unknown[] = [];
  let missed = 0;
  one.session.subscribe("news", (what) => heard.push(["own", what]));
  other?.session.subscribe(
    "news",
    (what) => heard.push(what),
    () => void (missed += 1),
  );
  await until(() => missed === 1, "the first connection");
  await one.session.publish("weather", { rain: true });
  await one.session.publish("news", { text: "hello" });
  await until(() => heard.length > 0);
  expect(heard).toEqual([{ text: "hello" }]);
  other?.link.cut();
  await until(() => missed === 2, "the second connection");
});

test("how far one process has seen on Telegram another knows, before it sends", async () => {
  const [one, other] = await openProcesses(2);
  const telegram = await startTelegramSimulator();
  const options = { token: telegram.token, apiRoot: telegram.apiRoot };
  const [receiving, working] = [createTelegram(options), createTelegram(options)];
  const ends = [shareHighWaterMarks([receiving], one.session)];
  if (other) ends.push(shareHighWaterMarks([working], other.session));
  onTestFinished(async () => {
    for (const end of ends) end();
    await receiving.stop();
    await telegram.close();
  });
  const events: ChatEvent[] = [];
  await receiving.start(async (event) => void events.push(event), []);
  telegram.say("ann", "hello");
  const { to } = await until(() => events[0]);
  const newest = receiving.recovery?.newest?.(to);
  expect(newest).toBeDefined();
  await until(() => working.recovery?.newest?.(to) === newest);
});

test("who waits for an answer that never comes gives up, and the end does not wait", async () => {
  const [one, other] = await openProcesses(2);
  const aliveAtLoss: boolean[] = [];
  // A moment later there is another connection.
  const mine = { ...request(), lost: () => void aliveAtLoss.push(one.session.alive()) };
  const lock = one.session.lock(mine);
  await until(() => lock.held);
  const second = other?.session.lock(request());
  one.link.freeze();
  await until(() => aliveAtLoss.length > 0);
  expect(aliveAtLoss[0]).toBe(false);
  // The server still holds the connection for alive; its end is the end of the lock, and the next process to ask gets it.
  one.link.block();
  await until(() => second?.held);
});

test("a statement is run again when its connection breaks, and while the server is away", async () => {
  const [{ db, link }] = await openProcesses(1);
  await db.query("create table counted (number int)");
  link.cut();
  expect(await db.query("select 1 as one")).toEqual([{ one: 1 }]);
  link.block();
  const answer = db.query("select 2 as two");
  setTimeout(() => link.mend(), 300);
  expect(await answer).toEqual([{ two: 2 }]);
  await expect(db.query("select * from nothing")).rejects.toMatchObject({
    name: "StoreError",
    code: "42P01",
  });
});

test("processes that start together make the tables once", async () => {
  const url = await server.createDatabase();
  const opened = await Promise.all([openTables(url), openTables(url), openTables(url)]);
  expect(await opened[0].query("select number, least from colloquy.version")).toEqual([
    { number: 2, least: 0 },
  ]);
  await Promise.all(opened.map((db) => db.close()));
});

test("tables of a newer program are used, unless it says that they cannot be", async () => {
  const url = await server.createDatabase();
  const db = await openTables(url);
  await db.query("update colloquy.version set number = 9");
  await (await openTables(url)).close();
  await db.query("update colloquy.version set least = 9");
  await expect(openTables(url)).rejects.toThrow(/have version 9.*Run the newer program/);
  await db.close();
});

test.each([
  ["wrong password", (url: URL) => void (url.password = "geheim"), /rejects the user or the password/],
  ["no such database", (url: URL) => void (url.pathname = "/nowhere"), /does not exist: create it/],
  ["nobody there", (url: URL) => void (url.port = "1"), /does not respond as expected/],
])("%s is said with what to do, and without the password", async (_, spoil, sentence) => {
  const url = new URL(await server.createDatabase());
  spoil(url);
  const error = await openTables(url.href).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: "StoreError", message: expect.stringMatching(sentence) });
  expect(String(error)).not.toMatch(/geheim|secret/);
});

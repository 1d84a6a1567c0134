import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { ConfigError, describeError } from "../../src/errors.ts";
import { type ChatEvent, conversationKey } from "../../src/event.ts";
import { migrate } from "../../src/migrate/migrate.ts";
import { openPostgres } from "../../src/postgres/pool.ts";
import { openSession } from "../../src/postgres/session.ts";
import { openDeadLetters } from "../../src/queue/dead.ts";
import { createPostgresQueue } from "../../src/queue/postgres/queue.ts";
import { openStore } from "../../src/store/store.ts";
import { temporaryFolder } from "../support/folder.ts";
import { captureLog } from "../support/log.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { runProgram } from "../support/program.ts";
import { anyStored, contentOf, fill, storedWith, waitingEvent } from "../support/stored.ts";
import { until } from "../../src/testing/until.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.close());

const { log } = captureLog();
const interrupts = ({ command }: ChatEvent) => command === "stop";

function run(from: string, to: string): Promise<string> {
  return migrate({ from, to, interrupts, progress: { write: () => true } });
}

function newSqlite(): string {
  return `sqlite:${join(temporaryFolder(), "store.sqlite")}`;
}

const small = storedWith({
  history: [["paper:ann", { version: 2, revision: 7, text: "hello" }]],
  waiting: [{ event: waitingEvent("ann", 1), attempts: 3 }],
});

test("a store goes to PostgreSQL, to another PostgreSQL and back to SQLite, and is the same", async () => {
  await fc.assert(
    fc.asyncProperty(anyStored(), async (stored) => {
      const stores = [newSqlite(), await server.createDatabase(), await server.createDatabase(), newSqlite()];
      await fill(stores[0]!, stored);
      for (const [index, to] of stores.slice(1).entries()) {
        await run(stores[index]!, to);
        expect(await contentOf(to)).toEqual(stored);
      }
    }),
    { numRuns: 3 },
  );
}, 60_000);

test("what waits is answered in PostgreSQL in its order, and what was stopped stays stopped", async () => {
  const from = newSqlite();
  const to = await server.createDatabase();
  const events = [
    waitingEvent("ann", 1),
    waitingEvent("bob", 2),
    waitingEvent("ann", 3),
    waitingEvent("bob", 4, { command: "stop", text: "" }),
    waitingEvent("ann", 5),
    waitingEvent("bob", 6),
  ];
  const history = [["paper:ann", { version: 2, revision: 7, text: "hello" }]] as const;
  await fill(from, storedWith({ history, waiting: events.map((event) => ({ event, attempts: 0 })) }));
  await run(from, to);
  const store = await openStore(to);
  const session = openSession(store.postgres!, log, 20);
  const queue = createPostgresQueue({
    db: store.postgres!,
    session,
    dead: await openDeadLetters(store),
    keyOf: conversationKey,
    interrupts,
    atOnce: 10,
    graceMs: 100,
    pauseMs: 1,
    pollMs: 20,
    goneMs: 200,
    log,
  });
  onTestFinished(async () => {
    await queue.stop();
    await session.close();
    await store.close();
  });
  const seen: string[] = [];
  await queue.start({
    work: async ({ id }, { interrupted }) => void seen.push(interrupted.aborted ? `${id} stopped` : id),
    giveUp: async () => undefined,
  });
  await until(() => seen.length === events.length);
  expect(seen.filter((id) => id.includes("ann"))).toEqual(["paper:ann:1", "paper:ann:3", "paper:ann:5"]);
  expect(seen.filter((id) => id.includes("bob"))).toEqual([
    "paper:bob:2 stopped",
    "paper:bob:4",
    "paper:bob:6",
  ]);
  // The revision came along.
  const records = await store.open("history");
  await expect(records.set("paper:ann", { revision: 7 })).rejects.toMatchObject({ code: "superseded" });
});

test("more waits than a conversation takes in, over several pages, and all of it comes along", async () => {
  const from = newSqlite();
  const to = await server.createDatabase();
  const waiting = Array.from({ length: 1_100 }, (_, index) => ({
    event: waitingEvent(`${index % 3}`, index, index === 900 ? { command: "stop" } : {}),
    attempts: index % 4,
  }));
  await fill(from, storedWith({ waiting }));
  await run(from, to);
  expect((await contentOf(to)).waiting).toEqual(waiting);
  const store = await openStore(to);
  const rows = await store.postgres!.query<{ id: string }>("select id from colloquy.inbox where interrupted");
  const [jobs] = await store.postgres!.query<{ count: number }>(
    "select count(*)::int as count from graphile_worker.jobs",
  );
  await store.close();
  expect(rows).toHaveLength(300);
  expect(jobs?.count).toBe(3);
});

test("what makes no sense in the queue is set aside, and nothing waits for it", async () => {
  const from = newSqlite();
  const to = await server.createDatabase();
  await fill(from, small);
  const store = await openStore(from);
  await (await store.open("queue")).set("odd", "no event");
  await store.close();
  await run(from, to);
  const target = await openStore(to);
  const rows = await target.postgres!.query("select id, conversation from colloquy.inbox order by number");
  await target.close();
  expect(rows).toEqual([
    { id: "odd", conversation: "set aside: odd" },
    { id: "paper:ann:1", conversation: "paper:ann" },
  ]);
  const back = newSqlite();
  await run(to, back);
  const last = await openStore(back);
  expect(await (await last.open("queue")).get("odd")).toBe("no event");
  await last.close();
});

test.each(["to PostgreSQL", "back to SQLite"])(
  "killed on the way %s, it goes on where it was",
  async (way) => {
    const file = newSqlite();
    const text = "x".repeat(60_000);
    const history = Array.from(
      { length: 400 },
      (_, index) => [`paper:${index}`, { revision: index, text }] as const,
    );
    const stored = storedWith({ history, waiting: small.waiting });
    await fill(file, stored);
    const database = await server.createDatabase();
    const back = way === "back to SQLite";
    if (back) await run(file, database);
    const [from, to] = back ? [database, newSqlite()] : [file, database];
    // By the names of settings: the URLs hold passwords.
    const words = ["migrate", "STORE_URL", "NEW_STORE_URL"];
    const env = { STORE_URL: from, NEW_STORE_URL: to };
    const killed = runProgram(words, env);
    await until(async () => (await countIn(to)) > 0, "some of it to be copied");
    killed.signal("SIGKILL");
    expect(await killed.exited).toBe("SIGKILL");
    const done = await countIn(to);
    expect(done).toBeLessThan(history.length);
    // What stands there already could not be written again.
    const resumed = runProgram(words, env);
    expect(await resumed.exited, resumed.errors()).toBe(0);
    expect(await contentOf(to)).toEqual(stored);
  },
);

/** How many conversations there are in a store that is being created. */
async function countIn(url: string): Promise<number> {
  if (url.startsWith("sqlite:")) {
    const store = await openStore(url);
    let count = 0;
    for await (const _ of (await store.open("history")).iterator?.({}) ?? []) count += 1;
    await store.close();
    return count;
  }
  const db = openPostgres(`${url}?application_name=observer`);
  const rows = await db
    .query<{ count: number }>("select count(*)::int as count from colloquy.records where place = 'history'")
    .catch(() => []);
  await db.close();
  return rows[0]?.count ?? 0;
}

describe("refused is", () => {
  test("a database on which a program runs, whichever end it is and whatever it does", async () => {
    const from = newSqlite();
    await fill(from, small);
    const url = await server.createDatabase();
    const store = await openStore(url);
    const session = openSession(store.postgres!, log, 20);
    const lock = session.lock({ group: "workers", name: "one" });
    await until(() => lock.held);
    await expect(run(from, url)).rejects.toThrow(
      /TO: a program or another migration uses this database.*127\.0\.0\.1.*: stop all/,
    );
    await lock.release();
    // One that takes in webhooks, and has no lock.
    await expect(run(url, newSqlite())).rejects.toThrow(ConfigError);
    await session.close();
    await store.close();
    await run(from, url);
    expect(await contentOf(url)).toEqual(small);
  });

  test("a database with something of its own", async () => {
    const from = newSqlite();
    await fill(from, small);
    const url = await server.createDatabase();
    await run(from, url);
    const other = newSqlite();
    await fill(other, storedWith({ history: [["paper:bob", 1]] }));
    await expect(run(other, url)).rejects.toThrow(/TO .*127\.0\.0\.1.* is not empty \(history: 1\)/);
    expect(await contentOf(url)).toEqual(small);
  });
});

test("the password is nowhere in what it says", async () => {
  const from = newSqlite();
  await fill(from, small);
  const url = await server.createDatabase();
  const wrong = await run(from, url.replace(":secret@", ":tell-nobody@")).catch((error: unknown) => error);
  expect(describeError(wrong)).toMatch(/TO: .*rejects the user or the password/);
  expect(describeError(wrong)).not.toContain("tell-nobody");
  expect(await run(from, url)).not.toContain("secret");
  const again = await run(from, url).catch((error: unknown) => error);
  expect(describeError(again)).not.toContain("secret");
});

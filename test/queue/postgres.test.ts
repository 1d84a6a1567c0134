import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { conversationKey } from "../../src/event.ts";
import { openSession } from "../../src/postgres/session.ts";
import { openDeadLetters } from "../../src/queue/dead.ts";
import { createPostgresQueue } from "../../src/queue/postgres/queue.ts";
import type { Queue } from "../../src/queue/queue.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { describeQueue } from "../../src/testing/contracts/queue.ts";
import { said } from "../../src/testing/contracts/queue-under-test.ts";
import { openLink } from "../support/link.ts";
import { captureLog } from "../support/log.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { until } from "../../src/testing/until.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.close());

const { log } = captureLog();

describeQueue("PostgreSQL", async () => {
  const url = await server.createDatabase();
  const store = await openStore(url);
  const processes = new Map<Queue, { store: Store; die(): Promise<void> }>();
  return {
    open: async ({ atOnce = 100 } = {}) => {
      const { queue, ...rest } = await openProcess(url, atOnce);
      processes.set(queue, rest);
      return queue;
    },
    kill: async (queue) => processes.get(queue)?.die(),
    dead: await openDeadLetters(store),
    stored: async () => {
      const rows = await store.postgres?.query<{ id: string }>(
        "select id from colloquy.inbox order by number",
      );
      return (rows ?? []).map(({ id }) => id);
    },
    close: async () => {
      for (const { die } of processes.values()) await die();
      await store.close();
    },
  };
});

test("a worker that is cut off lets go before another takes over, and ends nothing any more", async () => {
  const url = new URL(await server.createDatabase());
  const link = await openLink(Number(url.port));
  const far = await openProcess(Object.assign(new URL(url), { port: String(link.port) }).href, 10);
  const near = await openProcess(url.href, 10);
  onTestFinished(async () => {
    link.mend();
    await Promise.all([far.die(), near.die()]);
    await link.close();
  });
  const happened: string[] = [];
  let end = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  await far.queue.start({
    work: async ({ id }, { requeued }) => {
      happened.push(`${id} begun by the first`);
      requeued.addEventListener("abort", () => happened.push(`${id} let go`));
      // Deaf to that: it goes on, and comes to its end after the other has begun.
      if (id === "ann-1") await ended;
    },
    giveUp: async () => undefined,
  });
  await far.queue.push(said("ann", 1));
  await until(() => happened.length === 1);
  link.block();
  await near.queue.start({
    work: async ({ id }) => {
      happened.push(`${id} begun by the second`);
      await near.queue.push(said("ann", 2));
      end();
      link.mend();
      await until(() => far.alive());
    },
    giveUp: async () => undefined,
  });
  await until(() => happened.filter((what) => what.startsWith("ann-2 begun")).length === 1);
  expect(happened.slice(0, 3)).toEqual([
    "ann-1 begun by the first",
    "ann-1 let go",
    "ann-1 begun by the second",
  ]);
  await until(async () => (await near.store.postgres?.query("select 1 from colloquy.inbox"))?.length === 0);
  // The one that was cut off works again.
  for (let index = 0; !happened.includes(`bob${index - 1}-1 begun by the first`) && index < 500; index += 1) {
    await near.queue.push(said(`bob${index}`, 1));
    await until(() => happened.some((what) => what.startsWith(`bob${index}-1 begun`)));
  }
  expect(happened.some((what) => /^bob.* by the first/.test(what))).toBe(true);
});

test("an event that makes no sense is set aside, and its conversation goes on", async () => {
  const { queue, store, die } = await openProcess(await server.createDatabase(), 10);
  onTestFinished(die);
  await queue.push(said("ann", 1));
  await queue.push(said("ann", 2));
  await store.postgres?.query("update colloquy.inbox set entry = '{' where id = 'ann-1'");
  const seen: string[] = [];
  await queue.start({ work: async ({ id }) => void seen.push(id), giveUp: async () => undefined });
  const left = async () => (await store.postgres?.query("select id, conversation from colloquy.inbox")) ?? [];
  await until(async () => seen.length > 0 && (await left()).length < 2, "the one to be answered, and gone");
  expect(seen).toEqual(["ann-2"]);
  expect(await left()).toEqual([{ id: "ann-1", conversation: "set aside: paper:ann" }]);
  await queue.stop();
});

/** What of a process has to do with the queue; it waits less long than usual for everything. */
async function openProcess(url: string, atOnce: number) {
  const store = await openStore(url);
  const db = store.postgres;
  if (!db) throw new Error("no PostgreSQL");
  const session = openSession(db, log, 20);
  const interrupts = ({ command }: { command?: string }) => command === "reset";
  const queue = createPostgresQueue({
    db,
    session,
    dead: await openDeadLetters(store),
    keyOf: conversationKey,
    interrupts,
    atOnce,
    graceMs: 100,
    pauseMs: 1,
    pollMs: 20,
    goneMs: 200,
    log,
  });
  const die = async () => {
    await session.close();
    await store.close();
    // Nothing of it reaches the database any more.
    void queue.stop();
  };
  return { queue, store, die, alive: () => session.alive() };
}

import { afterAll, beforeAll } from "vitest";
import { conversationKey } from "../../src/event.ts";
import { openSession } from "../../src/postgres/session.ts";
import { openDeadLetters } from "../../src/queue/dead.ts";
import { createPostgresQueue } from "../../src/queue/postgres.ts";
import type { Queue } from "../../src/queue/queue.ts";
import { openStore, type Store } from "../../src/store.ts";
import { describeQueue } from "../contract/queue.ts";
import { captureLog } from "../support/log.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";

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
  };
  return { queue, store, die };
}

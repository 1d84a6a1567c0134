import type { ChatEvent } from "../../event.ts";
import type { Postgres } from "../../postgres/pool.ts";
import { openStore, type Store } from "../../store/store.ts";
import { type End, MARKER, valueOf } from "../end.ts";
import { claimDatabase } from "./claim.ts";
import { findEvents, listQueue, wakeAll, writeEvents } from "./events.ts";
import { findRecords, hidden, listRecords, writeRecords } from "./records.ts";

export interface PostgresEndOptions {
  readonly url: string;
  /** Whether an event stops earlier ones of the same conversation. */
  readonly interrupts: (event: ChatEvent) => boolean;
}

/** Opens a database as one end of a migration; rejects with a `ConfigError` if a program uses it. */
export async function openPostgresEnd({ url, interrupts }: PostgresEndOptions): Promise<End> {
  const claim = await claimDatabase(url);
  const { store, db } = await openDatabase(url).catch(async (error: unknown) => {
    await claim.release();
    throw error;
  });

  return {
    count: async (table) => {
      const [row] = await db.query<{ count: number }>(
        table === "queue"
          ? "select count(*)::float8 as count from colloquy.inbox"
          : "select count(*)::float8 as count from colloquy.records where place = $1 and key <> $2",
        table === "queue" ? [] : [table, hidden(table)],
      );
      return row?.count ?? 0;
    },
    list: (table, after) => (table === "queue" ? listQueue(db, after) : listRecords(db, table, after)),
    find: (table, keys) => (table === "queue" ? findEvents(db, keys) : findRecords(db, table, keys)),
    write: (table, items, marker) =>
      table === "queue"
        ? writeEvents(db, { items, marker, interrupts })
        : writeRecords(db, { table, items, marker }),
    marker: async () => {
      const [row] = await db.query<{ value: string }>(
        "select value from colloquy.records where place = 'kept' and key = $1",
        [MARKER],
      );
      return row && String(valueOf(row.value));
    },
    handOver: () => wakeAll(db),
    removeMarker: async () => {
      await db.query("delete from colloquy.records where place = 'kept' and key = $1", [MARKER]);
    },
    checkAlone: () => claim.check(),
    close: async () => {
      await store.close();
      await claim.release();
    },
  };
}

async function openDatabase(url: string): Promise<{ store: Store; db: Postgres }> {
  const store = await openStore(url);
  const db = store.postgres;
  try {
    if (!db) throw new Error("a postgres:// URL opened a store without a PostgreSQL pool");
    // Without statistics on a new table, PostgreSQL would sort the rest of it for every page.
    await db.query("analyze colloquy.records");
    return { store, db };
  } catch (error) {
    await store.close();
    throw error;
  }
}

import { setTimeout } from "node:timers/promises";
import { StoreError } from "../errors.ts";
import { toStoreError } from "./sqlite-errors.ts";

/** How long a write waits for another process that is writing, in ms. */
const BUSY_TIMEOUT_MS = 10_000;

/** How to open one more connection to the file. Its failures are sentences with the name of the file. */
export async function connectTo(path: string, busyTimeout = BUSY_TIMEOUT_MS) {
  const KeyvSqlite = await loadSqlite();
  return (table: string) => {
    const uri = `sqlite://${path}`;
    const sqlite = new KeyvSqlite({ uri, table, busyTimeout, iterationLimit: 1000 });
    // Without a listener a failure to open would end the process; the queries below reject with it.
    sqlite.on("error", () => undefined);
    const query = sqlite.query;
    sqlite.query = (sql, ...values) =>
      query(sql, ...values).catch((cause: unknown) => {
        throw toStoreError(path, cause);
      });
    return sqlite;
  };
}

async function loadSqlite() {
  try {
    return (await import("@keyv/sqlite")).KeyvSqlite;
  } catch (cause) {
    throw new StoreError(
      "sqlite",
      "The native part of the package sqlite3 is missing; `npm rebuild sqlite3` builds it " +
        "(it needs python3, make and a C++ compiler where no ready-made one exists).",
      { cause },
    );
  }
}

/**
 * Write-ahead logging: readers and other processes do not block. All tables share one log, so that flushing it for
 * one of them flushes what was written before to any.
 *
 * While another process does the same with a new file, SQLite says that it is busy at once, without the wait that
 * it was told (two that want to be alone would wait for each other).
 */
export async function logAhead(sqlite: Connection): Promise<void> {
  const until = Date.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      return void (await sqlite.query("PRAGMA journal_mode=WAL"));
    } catch (error) {
      if (!(error instanceof StoreError && error.code === "SQLITE_BUSY" && Date.now() < until)) throw error;
      await setTimeout(10);
    }
  }
}

export interface Connection {
  query(sql: string, ...values: unknown[]): Promise<unknown>;
  close(): Promise<unknown>;
}

export async function once(
  sqlite: Connection,
  action: (sqlite: Connection) => Promise<unknown>,
): Promise<void> {
  try {
    await action(sqlite);
  } finally {
    await sqlite.close().catch(() => undefined);
  }
}

import { setTimeout } from "node:timers/promises";
import { StoreError } from "../errors.ts";
import { toSqliteError } from "./sqlite-errors.ts";

/** How long a write waits for another process that is writing, in ms. */
const BUSY_TIMEOUT_MS = 10_000;

/** Returns a function that opens a connection to the file. Queries reject with a `StoreError` that names the file. */
export async function connectTo(path: string, busyTimeout = BUSY_TIMEOUT_MS) {
  const KeyvSqlite = await loadSqlite();
  return (table: string) => {
    const uri = `sqlite://${path}`;
    const sqlite = new KeyvSqlite({ uri, table, busyTimeout, iterationLimit: 1000 });
    // Without a listener, a failure to open would end the process. The queries reject with it as well.
    sqlite.on("error", () => undefined);
    const query = sqlite.query;
    sqlite.query = (sql, ...values) =>
      query(sql, ...values).catch((cause: unknown) => {
        throw toSqliteError(path, cause);
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
      "The native module of the sqlite3 package is missing. Build it with `npm rebuild sqlite3`, " +
        "which needs python3, make and a C++ compiler if there is no prebuilt module for this system.",
      { cause },
    );
  }
}

/**
 * Turns on write-ahead logging, with which readers and other processes do not block. All tables share one log: flushing
 * it for one table flushes all earlier writes to any table.
 *
 * While another process does the same with a new file, SQLite returns SQLITE_BUSY at once and ignores the busy timeout,
 * because two processes that want an exclusive lock would wait for each other. So this function retries.
 */
export async function enableWriteAheadLog(sqlite: SqliteConnection): Promise<void> {
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

/** A connection to a SQLite file. */
export interface SqliteConnection {
  query(sql: string, ...values: unknown[]): Promise<unknown>;
  close(): Promise<unknown>;
}

/** Runs an action on a connection and closes the connection. */
export async function once(
  sqlite: SqliteConnection,
  action: (sqlite: SqliteConnection) => Promise<unknown>,
): Promise<void> {
  try {
    await action(sqlite);
  } finally {
    await sqlite.close().catch(() => undefined);
  }
}

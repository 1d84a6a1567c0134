import { rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import Keyv from "keyv";
import { StoreError } from "../errors.ts";
import {
  closeToOthers,
  isTaken,
  makeFile,
  makeFolder,
  type Notice,
  partOf,
  putInPlace,
  taken,
} from "../system/owner-only.ts";
import { createStore, KEYV_OPTIONS } from "./base.ts";
import { type SqliteConnection, connectTo, enableWriteAheadLog, once } from "./sqlite-connection.ts";
import { toSqliteError } from "./sqlite-errors.ts";
import type { Size, Store } from "./store.ts";

/** Sorts after every key with the same prefix. */
const LAST = "\u{10FFFF}";

/**
 * The SQL statements that migrate a file from each version to the next; append a list to add a migration. Version 0
 * is an empty file, or one written before versions existed. (Records have versions of their own, see `versions.ts`.)
 */
const MIGRATIONS: readonly (readonly string[])[] = [[]];

/** Opens a store in a SQLite file. */
export async function openSqlite(path: string, notice: Notice): Promise<Store> {
  const connect = await connectTo(path);
  const store = createSqliteStore(connect);
  try {
    makeFolder(dirname(path));
    // SQLite gives its -wal and -shm files the mode of this one.
    makeFile(path);
    await once(connect("probe"), (sqlite) => migrate(sqlite, path));
    // Only now is the file known to be a store, and not a web page or script named by mistake.
    closeToOthers(path, notice);
    await store.check();
  } catch (cause) {
    await store.close().catch(() => undefined);
    throw cause instanceof StoreError ? cause : toSqliteError(path, cause);
  }
  const { ino } = statSync(path);
  return {
    ...store,
    check: async () => {
      // SQLite would continue to write to the deleted file.
      if (statSync(path, { throwIfNoEntry: false })?.ino !== ino)
        throw toSqliteError(path, { code: "moved" });
      await store.check();
    },
  };
}

function createSqliteStore(connect: (table: string) => SqliteConnection): Store {
  return createStore({
    create: async (table, flush) => {
      const sqlite = connect(table);
      await enableWriteAheadLog(sqlite);
      await sqlite.query(`PRAGMA synchronous=${flush ? "FULL" : "NORMAL"}`);
      return new Keyv({ ...KEYV_OPTIONS, store: sqlite });
    },
    keys: async (name, prefix, { store: sqlite }) => {
      const rows = (await (sqlite as SqliteConnection).query(
        `SELECT key FROM ${name} WHERE key >= ? AND key < ? ORDER BY key`,
        prefix,
        prefix + LAST,
      )) as { key: string }[];
      return rows.map(({ key }) => key);
    },
    size: async (name, prefix, { store: sqlite }) => {
      // SQLite keeps the length of a value in the header of its row and does not read the value.
      const [row] = (await (sqlite as SqliteConnection).query(
        `SELECT COUNT(*) AS count, COALESCE(SUM(OCTET_LENGTH(value)), 0) AS bytes FROM ${name} WHERE key >= ? AND key < ?`,
        prefix,
        prefix + LAST,
      )) as Size[];
      return row ?? { count: 0, bytes: 0 };
    },
    backup: async (copy) => {
      if (isTaken(copy)) throw taken(copy);
      // The copy gets its name only when it is complete. SQLite writes into an existing empty file and follows links.
      const part = partOf(copy);
      try {
        makeFile(part);
        await once(connect("probe"), (sqlite) => sqlite.query("VACUUM INTO ?", part));
        putInPlace(part, copy, { replace: false });
      } finally {
        rmSync(part, { force: true });
      }
    },
  });
}

async function migrate(sqlite: SqliteConnection, path: string): Promise<void> {
  const versionOf = async () => {
    const rows = (await sqlite.query("PRAGMA user_version")) as { user_version: number }[];
    return rows[0]?.user_version ?? 0;
  };
  const newest = MIGRATIONS.length;
  const found = await versionOf();
  if (found === newest) return;
  if (found > newest) {
    throw new StoreError(
      "version",
      `The store ${path} (STORE_URL) has version ${found}, but this program supports at most version ${newest}. ` +
        "It was left unchanged. Run the newer program that wrote it.",
    );
  }
  await sqlite.query("BEGIN IMMEDIATE");
  try {
    // Another process may have migrated it in the meantime.
    for (const sql of MIGRATIONS.slice(await versionOf()).flat()) await sqlite.query(sql);
    await sqlite.query(`PRAGMA user_version = ${newest}`);
    await sqlite.query("COMMIT");
  } catch (error) {
    await sqlite.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

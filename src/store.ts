import { existsSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout } from "node:timers/promises";
import Keyv from "keyv";
import { ConfigError, StoreError } from "./errors.ts";
import {
  closeToOthers,
  isTaken,
  makeFile,
  makeFolder,
  type Notice,
  partOf,
  putInPlace,
  taken,
} from "./owner-only.ts";
import type { Postgres } from "./postgres/pool.ts";

/** Where histories and the queue live. All that fails in it rejects with a `StoreError` that says what to do. */
export interface Store {
  /**
   * A Keyv of its own under this name (letters only). It throws on errors: by default Keyv answers a failed
   * read with "nothing there", and the next write would replace a history by an empty one.
   *
   * What is written survives the death of the process. With `flush` it survives a power failure too once
   * the write has resolved, and so does all that was written before it, under any name.
   *
   * Where several processes share the store, a record with a number `revision` is replaced only by one with a larger
   * one: another is refused with the code `superseded`.
   */
  open(name: string, options?: { readonly flush?: boolean }): Promise<Keyv>;
  /** The keys under this name that begin with `prefix`, in order; it reads no values. */
  keys(name: string, prefix: string): Promise<string[]>;
  /** How many records under this name have keys that begin with `prefix`, and how large they are; it reads no values. */
  size(name: string, prefix: string): Promise<Size>;
  /** Writes and reads something; rejects if that does not work. */
  check(): Promise<void>;
  /** Copies all of it, as it stands at one moment, into a file that must not exist yet; others may write meanwhile. */
  backup(path: string): Promise<void>;
  /** Closes everything that was opened. */
  close(): Promise<void>;
  /** The database, where it is one that other processes may work with at the same time. */
  readonly postgres?: Postgres;
}

/** How much there is of something. */
export interface Size {
  readonly count: number;
  readonly bytes: number;
}

/** What is stored is plain JSON: JSON's own functions write a long record in about two thirds of Keyv's time. */
const OPTIONS = { throwOnErrors: true, serialize: JSON.stringify, deserialize } as const;

/** What Keyv puts before each key, but where we are its storage. */
const KEYV_PREFIX = "keyv:";

/** Behind every key with the same beginning. */
const LAST = "\u{10FFFF}";

/** How long a write waits for another process that is writing, in ms. */
const BUSY_TIMEOUT_MS = 10_000;

/** What a check reads back is not older than this, in ms. */
const SLOWEST_CHECK_MS = 60_000;

/** Whoever has a claim keeps it for long, in ms (0 would mean sqlite3's default of a second). */
const CLAIM_TIMEOUT_MS = 1;

/**
 * What brings a file from each version to the next, in SQL; a migration is one more list at the end. Version 0 is
 * an empty file, or one from before there were versions. (Records have versions of their own: `version.ts`.)
 */
const MIGRATIONS: readonly (readonly string[])[] = [[]];

/**
 * What somebody else has put in the place of a record is handed on as it is, so that whoever reads it finds that it
 * makes no sense: one such row must not stop all others from being read.
 */
function deserialize(text: string): object {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return { value: text };
  }
  return typeof found === "object" && found !== null && "value" in found ? found : { value: text };
}

/**
 * Opens the store of a `STORE_URL`; a write and a read show that it works before anyone relies on it. Its files are
 * their owner's alone; `notice` is told if they were not.
 */
export async function openStore(url: string, notice: Notice = () => undefined): Promise<Store> {
  if (isPostgres(url)) return openPostgresStore(url);
  const path = pathOf(url);
  return path === undefined ? openMemory() : openSqlite(path, notice);
}

/** Whether a `STORE_URL` names a database that several processes may share. */
export function isPostgres(url: string): boolean {
  return /^postgres(ql)?:/.test(url);
}

/** Opens a store that is there already; it is for those who look after what a program has left. */
export async function openExistingStore(url: string, notice: Notice = () => undefined): Promise<Store> {
  if (isPostgres(url)) return openPostgresStore(url);
  const path = pathOf(url);
  if (path === undefined || !existsSync(path)) {
    const why = path === undefined ? "memory: keeps nothing" : `there is no file ${path}`;
    throw new ConfigError("store_url", `There is no store to look into: ${why} (STORE_URL).`);
  }
  return openSqlite(path, notice);
}

/** A store that is one process's own until it is released or the process dies. */
interface Claim {
  /** Safe to call twice. */
  release(): Promise<void>;
}

/** Claims the store of a `STORE_URL` by a lock on a file beside it; undefined if another process has claimed it. */
export async function claimStore(url: string): Promise<Claim | undefined> {
  const path = pathOf(url);
  // Memory is nobody else's.
  if (path === undefined) return { release: async () => undefined };
  const file = `${path}.lock`;
  const connect = await connectTo(file, CLAIM_TIMEOUT_MS);
  let sqlite: Connection | undefined;
  try {
    makeFolder(dirname(path));
    makeFile(file);
    sqlite = connect("claim");
    await sqlite.query("BEGIN EXCLUSIVE");
  } catch (cause) {
    await sqlite?.close().catch(() => undefined);
    const error = cause instanceof StoreError ? cause : toStoreError(path, cause);
    if (error.code === "SQLITE_BUSY") return undefined;
    throw error;
  }
  const claimed = sqlite;
  let released: Promise<unknown> | undefined;
  return { release: async () => void (await (released ??= claimed.close())) };
}

/** The file of a `STORE_URL`; undefined for memory. */
function pathOf(url: string): string | undefined {
  const [, scheme, rest = ""] = /^(\w+):(.*)$/s.exec(url) ?? [];
  const path = rest.replace(/^\/\//, "");
  if (scheme === "memory") return undefined;
  if (scheme === "sqlite" && path) return path;
  throw new ConfigError(
    "store_url",
    `STORE_URL is "${/[@?]/.test(url) ? `${scheme ?? ""}:…` : url}": use sqlite:path/to/file.sqlite, postgres://user:password@host/database or memory:`,
  );
}

/** What belongs to PostgreSQL is loaded only here: everyone else starts sooner without it. */
async function openPostgresStore(url: string): Promise<Store> {
  const { openTables } = await import("./postgres/tables.ts");
  const { keysOf, openRecords, sizeOf } = await import("./postgres/records.ts");
  const postgres = await openTables(url);
  const store = createStore({
    create: async (name) => openRecords(postgres, name),
    keys: (name, prefix) => keysOf(postgres, name, prefix),
    size: (name, prefix) => sizeOf(postgres, name, prefix),
    backup: async () => {
      throw new ConfigError(
        "store_url",
        "STORE_URL is PostgreSQL: copy it with `pg_dump --format=custom`, which may run beside the program.",
      );
    },
  });
  return {
    ...store,
    postgres,
    close: async () => {
      await store.close();
      await postgres.close();
    },
  };
}

function openMemory(): Store {
  return createStore({
    create: async () => new Keyv(OPTIONS),
    keys: async (_, prefix, keyv) =>
      [...(keyv.store as Map<string, unknown>).keys()].filter((key) => key.startsWith(prefix)).sort(),
    size: async (_, prefix, keyv) => {
      const all = [...(keyv.store as Map<string, unknown>)].filter(([key]) => key.startsWith(prefix));
      const bytes = all.reduce((sum, [, value]) => sum + Buffer.byteLength(String(value)), 0);
      return { count: all.length, bytes };
    },
    backup: async () => {
      throw new ConfigError("store_url", "STORE_URL is memory: there is nothing to be copied.");
    },
  });
}

async function openSqlite(path: string, notice: Notice): Promise<Store> {
  const connect = await connectTo(path);
  const store = createStore({
    create: async (table, flush) => {
      const sqlite = connect(table);
      await logAhead(sqlite);
      await sqlite.query(`PRAGMA synchronous=${flush ? "FULL" : "NORMAL"}`);
      return new Keyv({ ...OPTIONS, store: sqlite });
    },
    keys: async (name, prefix, { store: sqlite }) => {
      const rows = (await (sqlite as Connection).query(
        `SELECT key FROM ${name} WHERE key >= ? AND key < ? ORDER BY key`,
        prefix,
        prefix + LAST,
      )) as { key: string }[];
      return rows.map(({ key }) => key);
    },
    size: async (name, prefix, { store: sqlite }) => {
      // The length of a text in bytes stands before it, so that it need not be read.
      const [row] = (await (sqlite as Connection).query(
        `SELECT COUNT(*) AS count, COALESCE(SUM(OCTET_LENGTH(value)), 0) AS bytes FROM ${name} WHERE key >= ? AND key < ?`,
        prefix,
        prefix + LAST,
      )) as Size[];
      return row ?? { count: 0, bytes: 0 };
    },
    backup: async (copy) => {
      if (isTaken(copy)) throw taken(copy);
      // Under its name only once it is whole. SQLite writes into an empty file, and would follow a link.
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
  try {
    makeFolder(dirname(path));
    // SQLite gives the files that it makes beside it the same mode.
    makeFile(path);
    await once(connect("probe"), (sqlite) => migrate(sqlite, path));
    // Only now is it known to be a store, and no page or script that somebody has named by mistake.
    closeToOthers(path, notice);
    await store.check();
  } catch (cause) {
    await store.close().catch(() => undefined);
    throw cause instanceof StoreError ? cause : toStoreError(path, cause);
  }
  const { ino } = statSync(path);
  return {
    ...store,
    check: async () => {
      // SQLite would go on with the file that nobody finds any more.
      if (statSync(path, { throwIfNoEntry: false })?.ino !== ino) throw toStoreError(path, { code: "moved" });
      await store.check();
    },
  };
}

/** How to open one more connection to the file. Its failures are sentences with the name of the file. */
async function connectTo(path: string, busyTimeout = BUSY_TIMEOUT_MS) {
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
async function logAhead(sqlite: Connection): Promise<void> {
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

interface Connection {
  query(sql: string, ...values: unknown[]): Promise<unknown>;
  close(): Promise<unknown>;
}

async function once(sqlite: Connection, action: (sqlite: Connection) => Promise<unknown>): Promise<void> {
  try {
    await action(sqlite);
  } finally {
    await sqlite.close().catch(() => undefined);
  }
}

async function migrate(sqlite: Connection, path: string): Promise<void> {
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
      `The store ${path} (STORE_URL) is of version ${found}, and this program knows ${newest} at most. ` +
        "It was left untouched. Run the newer program that has written it.",
    );
  }
  await sqlite.query("BEGIN IMMEDIATE");
  try {
    // Another process may have been quicker.
    for (const sql of MIGRATIONS.slice(await versionOf()).flat()) await sqlite.query(sql);
    await sqlite.query(`PRAGMA user_version = ${newest}`);
    await sqlite.query("COMMIT");
  } catch (error) {
    await sqlite.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

function createStore({
  create,
  keys,
  size,
  backup,
}: {
  create: (name: string, flush: boolean) => Promise<Keyv>;
  keys: (name: string, prefix: string, keyv: Keyv) => Promise<string[]>;
  size: (name: string, prefix: string, keyv: Keyv) => Promise<Size>;
  backup: (path: string) => Promise<void>;
}): Store {
  const opened = new Map<string, Keyv>();
  const store: Store = {
    open: async (name, { flush = false } = {}) => {
      const keyv = opened.get(name) ?? (await create(name, flush));
      opened.set(name, keyv);
      return keyv;
    },
    keys: async (name, prefix) => {
      const keyv = await store.open(name);
      const before = keyv.useKeyPrefix ? KEYV_PREFIX : "";
      const found = await keys(name, before + prefix, keyv);
      return found.map((key) => key.slice(before.length));
    },
    size: async (name, prefix) => {
      const keyv = await store.open(name);
      return size(name, (keyv.useKeyPrefix ? KEYV_PREFIX : "") + prefix, keyv);
    },
    check: async () => {
      const keyv = await store.open("probe");
      const now = Date.now();
      await keyv.set("checked", now);
      const read: unknown = await keyv.get("checked");
      // Another process may have written since, or a little earlier.
      if (!(Number(read) >= now - SLOWEST_CHECK_MS))
        throw new StoreError("check", "what was written could not be read back");
    },
    backup,
    close: async () => {
      for (const keyv of opened.values()) await keyv.disconnect();
      opened.clear();
    },
  };
  return store;
}

function toStoreError(path: string, cause: unknown): StoreError {
  const { code = "open" } = cause as { code?: string };
  return new StoreError(code, `The store ${path} (STORE_URL) ${whatToDo(code, path)}`, { cause });
}

/** By SQLite's codes (sqlite.org/rescode.html). */
function whatToDo(code: string, path: string): string {
  switch (code) {
    case "SQLITE_FULL":
      return "cannot be written, as the disk is full: make room. What waits goes on by itself then";
    case "SQLITE_BUSY":
    case "SQLITE_LOCKED":
      return "is locked by another program: end that one, or wait. What waits goes on by itself then";
    case "SQLITE_READONLY":
      return "is read-only: this user must be able to write to the file and to its folder";
    case "SQLITE_CORRUPT":
    case "SQLITE_NOTADB":
      return (
        "is damaged, or no SQLite file: stop every program that uses it, move it away together with " +
        `${path}-wal and ${path}-shm, and put a backup in its place; without one everything starts afresh`
      );
    case "moved":
      return "was deleted or replaced while the program uses it, and what is written now goes with its end: start it again";
    default:
      return "cannot be written and read: check that the folder exists, that this user may write to it and that the disk is not full";
  }
}

import { existsSync } from "node:fs";
import type Keyv from "keyv";
import { ConfigError } from "../errors.ts";
import type { Postgres } from "../postgres/pool.ts";
import type { Notice } from "../system/owner-only.ts";
import { openMemory } from "./memory.ts";
import { openSqlite } from "./sqlite.ts";
import { isPostgres, pathOf } from "./url.ts";

/** The database that holds the conversations and the queue. Failures reject with a `StoreError` that says what to do. */
export interface Store {
  /**
   * Opens the Keyv with this name (letters only). It throws on errors: by default Keyv reports a failed read as
   * "not found", and the next write would replace a history with an empty one.
   *
   * A completed write survives the death of the process. With `flush`, it also survives a power failure, and so does
   * everything written earlier, under any name.
   *
   * If several processes share the store, a record with a numeric `revision` can only be replaced by one with a higher
   * revision; any other write rejects with the code `superseded`.
   */
  open(name: string, options?: { readonly flush?: boolean }): Promise<Keyv>;
  /** Lists the keys under this name that begin with `prefix`, in order, without reading values. */
  keys(name: string, prefix: string): Promise<string[]>;
  /** Counts the records under this name whose keys begin with `prefix`, and their bytes, without reading values. */
  size(name: string, prefix: string): Promise<Size>;
  /** Writes and reads a value; rejects if the store does not work. */
  check(): Promise<void>;
  /** Writes a consistent copy of the store to a file, which must not exist. Other processes may write meanwhile. */
  backup(path: string): Promise<void>;
  /** Closes everything that was opened. */
  close(): Promise<void>;
  /** The database, if it is PostgreSQL, which other processes may use at the same time. */
  readonly postgres?: Postgres;
}

/** The number of records and their total size. */
export interface Size {
  readonly count: number;
  readonly bytes: number;
}

/**
 * Opens the store of a `STORE_URL` and checks with a write and a read that it works. Its files become readable only by
 * their owner; `notice` is called if they were not before.
 */
export async function openStore(url: string, notice: Notice = () => undefined): Promise<Store> {
  if (isPostgres(url)) return openPostgres(url);
  const path = pathOf(url);
  return path === undefined ? openMemory() : openSqlite(path, notice);
}

/** Opens a store that already exists, for tools that inspect what a program stored. Rejects with a `ConfigError` otherwise. */
export async function openExistingStore(url: string, notice: Notice = () => undefined): Promise<Store> {
  if (isPostgres(url)) return openPostgres(url);
  const path = pathOf(url);
  if (path === undefined || !existsSync(path)) {
    const why = path === undefined ? "memory: stores nothing" : `the file ${path} does not exist`;
    throw new ConfigError(
      "store_url",
      `There is no store at STORE_URL: ${why}. Set it to the program's store.`,
    );
  }
  return openSqlite(path, notice);
}

/** Loads the PostgreSQL driver only if it is used: without it the program starts faster. */
async function openPostgres(url: string): Promise<Store> {
  const { openPostgresStore } = await import("./postgres.ts");
  return openPostgresStore(url);
}

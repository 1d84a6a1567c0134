import { existsSync } from "node:fs";
import type Keyv from "keyv";
import { ConfigError } from "../errors.ts";
import type { Postgres } from "../postgres/pool.ts";
import type { Notice } from "../system/owner-only.ts";
import { openMemory } from "./memory.ts";
import { openSqlite } from "./sqlite.ts";
import { isPostgres, pathOf } from "./url.ts";

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

/**
 * Opens the store of a `STORE_URL`; a write and a read show that it works before anyone relies on it. Its files are
 * their owner's alone; `notice` is told if they were not.
 */
export async function openStore(url: string, notice: Notice = () => undefined): Promise<Store> {
  if (isPostgres(url)) return openPostgres(url);
  const path = pathOf(url);
  return path === undefined ? openMemory() : openSqlite(path, notice);
}

/** Opens a store that is there already; it is for those who look after what a program has left. */
export async function openExistingStore(url: string, notice: Notice = () => undefined): Promise<Store> {
  if (isPostgres(url)) return openPostgres(url);
  const path = pathOf(url);
  if (path === undefined || !existsSync(path)) {
    const why = path === undefined ? "memory: keeps nothing" : `there is no file ${path}`;
    throw new ConfigError("store_url", `There is no store to look into: ${why} (STORE_URL).`);
  }
  return openSqlite(path, notice);
}

/** What belongs to PostgreSQL is loaded only here: everyone else starts sooner without it. */
async function openPostgres(url: string): Promise<Store> {
  const { openPostgresStore } = await import("./postgres.ts");
  return openPostgresStore(url);
}

import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import Keyv from "keyv";
import { ConfigError, describeError, StoreError } from "./errors.ts";

/** Where histories and the queue live. */
export interface Store {
  /**
   * A Keyv of its own under this name (letters only). It throws on errors: by default Keyv answers a failed
   * read with "nothing there", and the next write would replace a history by an empty one.
   *
   * What is written survives the death of the process. With `flush` it survives a power failure too once
   * the write has resolved, and so does all that was written before it, under any name.
   */
  open(name: string, options?: { readonly flush?: boolean }): Promise<Keyv>;
  /** Closes everything that was opened. */
  close(): Promise<void>;
}

/** What is stored is plain JSON: JSON's own functions write a long record in about two thirds of Keyv's time. */
const OPTIONS = { throwOnErrors: true, serialize: JSON.stringify, deserialize: JSON.parse } as const;

/** How long a write waits for another process that is writing, in ms. */
const BUSY_TIMEOUT_MS = 10_000;

/** Opens the store of a `STORE_URL`; a write and a read show that it works before anyone relies on it. */
export async function openStore(url: string): Promise<Store> {
  const [, scheme, rest = ""] = /^(\w+):(.*)$/s.exec(url) ?? [];
  if (scheme === "memory") return createStore(async () => new Keyv(OPTIONS));
  if (scheme === "sqlite" && rest.replace(/^\/\//, "")) return openSqlite(rest.replace(/^\/\//, ""));
  throw new ConfigError(
    "store_url",
    `STORE_URL is "${withoutPassword(url)}": use sqlite:path/to/file.sqlite or memory:`,
  );
}

async function openSqlite(path: string): Promise<Store> {
  const KeyvSqlite = await loadSqlite();
  const store = createStore(async (table, flush) => {
    const sqlite = new KeyvSqlite({
      uri: `sqlite://${path}`,
      table,
      busyTimeout: BUSY_TIMEOUT_MS,
      iterationLimit: 1000,
    });
    // Without a listener a failure to open would end the process; the queries below reject with it.
    sqlite.on("error", () => undefined);
    // Write-ahead logging: readers and other processes do not block. All tables share one log, so that
    // flushing it for one of them flushes what was written before to any.
    await sqlite.query("PRAGMA journal_mode=WAL");
    await sqlite.query(`PRAGMA synchronous=${flush ? "FULL" : "NORMAL"}`);
    return new Keyv({ ...OPTIONS, store: sqlite });
  });
  try {
    mkdirSync(dirname(path), { recursive: true });
    await probe(await store.open("probe"));
  } catch (cause) {
    await store.close().catch(() => undefined);
    throw new StoreError(
      "open",
      `The store ${path} (STORE_URL) cannot be written and read: ${describeError(cause)}. ` +
        "Check that the folder exists, that this user may write to it and that the disk is not full.",
      { cause },
    );
  }
  return store;
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

function createStore(create: (name: string, flush: boolean) => Promise<Keyv>): Store {
  const opened = new Map<string, Keyv>();
  return {
    open: async (name, { flush = false } = {}) => {
      const keyv = opened.get(name) ?? (await create(name, flush));
      opened.set(name, keyv);
      return keyv;
    },
    close: async () => {
      for (const keyv of opened.values()) await keyv.disconnect();
      opened.clear();
    },
  };
}

async function probe(keyv: Keyv): Promise<void> {
  const now = Date.now();
  await keyv.set("opened", now);
  if ((await keyv.get("opened")) !== now) throw new Error("what was written could not be read back");
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, "//…@");
}

import Keyv from "keyv";
import { StoreError } from "../errors.ts";
import type { Postgres } from "./pool.ts";

/** The number of records in one read when iterating over all. */
const PAGE_SIZE = 500;

/** The object around a value that Keyv stores. */
interface Envelope {
  readonly value?: unknown;
}

/**
 * Opens a Keyv over the records with one name. A record with a numeric `revision` is replaced only by one with a higher
 * revision: a process whose conversation was taken over cannot overwrite what the new owner wrote. (The same record may
 * be written again, because the answer to the first write may have been lost.)
 *
 * The package @keyv/postgres is not used: its pool is private and has no error listener, so a single idle connection
 * that breaks ends the process.
 */
export function openRecords(db: Postgres, name: string): Keyv {
  const keyv = new Keyv({ throwOnErrors: true, useKeyPrefix: false, store: createRecords(db, name) });
  // Keyv passes the envelope as an object, because `set` reads the revision from it.
  keyv.serialize = undefined;
  keyv.deserialize = undefined;
  return keyv;
}

/** Lists the keys under a name that begin with `prefix`, in order. */
export async function keysOf(db: Postgres, name: string, prefix: string): Promise<string[]> {
  const rows = await db.query<{ key: string }>(
    // These operators compare bytes, as the index does.
    `select key from colloquy.records where place = $1 and key ~>=~ $2 and key ~<~ $3 order by key using ~<~`,
    [name, escapedKey(prefix), `${escapedKey(prefix)}\u{10FFFF}`],
  );
  return rows.map(({ key }) => unescapedKey(key));
}

/** Counts the records under a name whose keys begin with `prefix`, and their bytes. */
export async function sizeOfRecords(
  db: Postgres,
  name: string,
  prefix: string,
): Promise<{ count: number; bytes: number }> {
  const [row] = await db.query<{ count: number; bytes: number }>(
    `select count(*)::int as count, coalesce(sum(octet_length(value)), 0)::float8 as bytes
     from colloquy.records where place = $1 and key ~>=~ $2 and key ~<~ $3`,
    [name, escapedKey(prefix), `${escapedKey(prefix)}\u{10FFFF}`],
  );
  return row ?? { count: 0, bytes: 0 };
}

function createRecords(db: Postgres, name: string) {
  return {
    // Keyv iterates only over stores with a dialect that it knows.
    opts: { dialect: "postgres" },
    namespace: undefined,
    on: () => undefined,
    get: async (key: string) => {
      const [row] = await db.query<{ value: string }>(
        "select value from colloquy.records where place = $1 and key = $2",
        [name, escapedKey(key)],
      );
      return row && read(row.value);
    },
    // Without this method, Keyv reads the keys one by one and treats a failed read as a missing record.
    getMany: async (keys: readonly string[]) => {
      const rows = await db.query<{ key: string; value: string }>(
        "select key, value from colloquy.records where place = $1 and key = any($2)",
        [name, keys.map(escapedKey)],
      );
      const found = new Map(rows.map(({ key, value }) => [key, value]));
      return keys.map((key) => {
        const value = found.get(escapedKey(key));
        return value === undefined ? undefined : read(value);
      });
    },
    set: async (key: string, envelope: Envelope) => {
      const written = await db.query(
        `insert into colloquy.records as r (place, key, value, revision) values ($1, $2, $3, $4)
         on conflict (place, key) do update set value = excluded.value, revision = excluded.revision
         where r.revision is null or excluded.revision is null or r.revision < excluded.revision
           or (r.revision = excluded.revision and r.value = excluded.value)
         returning 1`,
        [name, escapedKey(key), JSON.stringify(envelope), revisionOf(envelope)],
      );
      if (written.length > 0) return true;
      throw new StoreError(
        "superseded",
        `Another process has written the record ${key} in ${name} in the meantime. It was left unchanged`,
      );
    },
    delete: async (key: string) => {
      const gone = await db.query("delete from colloquy.records where place = $1 and key = $2 returning 1", [
        name,
        escapedKey(key),
      ]);
      return gone.length > 0;
    },
    clear: async () => void (await db.query("delete from colloquy.records where place = $1", [name])),
    // In the order of the keys, so that concurrent writes do not move the position.
    iterator: async function* () {
      for (let after: string | undefined; ; ) {
        const rows: { key: string; value: string }[] = await db.query(
          `select key, value from colloquy.records where place = $1 and ($2::text is null or key > $2)
           order by key limit $3`,
          [name, after ?? null, PAGE_SIZE],
        );
        for (const { key, value } of rows) yield [unescapedKey(key), read(value)];
        after = rows.at(-1)?.key;
        if (after === undefined) return;
      }
    },
  };
}

/** Escapes a key: text in PostgreSQL cannot contain the character U+0000, and keys contain ids from outside. */
export function escapedKey(key: string): string {
  return key.replace(/[\\\0]/g, (character) => (character === "\0" ? "\\0" : "\\\\"));
}

/** Reverses `escaped`. */
export function unescapedKey(key: string): string {
  return key.replace(/\\([0\\])/g, (_, kind: string) => (kind === "0" ? "\0" : "\\"));
}

function revisionOf({ value }: Envelope): number | null {
  const { revision } = (value ?? {}) as { revision?: unknown };
  return typeof revision === "number" ? revision : null;
}

/** Parses an envelope. A text that is not one of ours is returned as the value, and the caller finds it invalid. */
function read(text: string): Envelope {
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found === "object" && found !== null && "value" in found) return found;
  } catch {
    // Returned as the value below.
  }
  return { value: text };
}

import Keyv from "keyv";
import { StoreError } from "../errors.ts";
import type { Postgres } from "./pool.ts";

/** So many records are read at once when all are. */
const PAGE = 500;

/** What Keyv stores: the value in an envelope. */
interface Envelope {
  readonly value?: unknown;
}

/**
 * A Keyv over the records of one place. A record with a number `revision` is replaced only by one with a larger
 * one: whoever has lost their turn to another process cannot overwrite what that one has written. (The very same may
 * be written again: of the first time the answer may have been lost.)
 *
 * The package @keyv/postgres is not used: its pool is private and has no listener for errors, so that one idle
 * connection that breaks ends the process.
 */
export function openRecords(db: Postgres, place: string): Keyv {
  const keyv = new Keyv({ throwOnErrors: true, useKeyPrefix: false, store: createRecords(db, place) });
  // The envelope comes as it is: what is to be compared is read from it.
  keyv.serialize = undefined;
  keyv.deserialize = undefined;
  return keyv;
}

/** The keys of one place that begin with `prefix`, in order. */
export async function keysOf(db: Postgres, place: string, prefix: string): Promise<string[]> {
  const rows = await db.query<{ key: string }>(
    // Compared by bytes, as the index is.
    `select key from colloquy.records where place = $1 and key ~>=~ $2 and key ~<~ $3 order by key using ~<~`,
    [place, escaped(prefix), `${escaped(prefix)}\u{10FFFF}`],
  );
  return rows.map(({ key }) => unescaped(key));
}

/** How many records there are whose keys begin with `prefix`, and how large they are in bytes. */
export async function sizeOf(
  db: Postgres,
  place: string,
  prefix: string,
): Promise<{ count: number; bytes: number }> {
  const [row] = await db.query<{ count: number; bytes: number }>(
    `select count(*)::int as count, coalesce(sum(octet_length(value)), 0)::float8 as bytes
     from colloquy.records where place = $1 and key ~>=~ $2 and key ~<~ $3`,
    [place, escaped(prefix), `${escaped(prefix)}\u{10FFFF}`],
  );
  return row ?? { count: 0, bytes: 0 };
}

function createRecords(db: Postgres, place: string) {
  return {
    // Keyv iterates over those alone whose dialect it knows.
    opts: { dialect: "postgres" },
    namespace: undefined,
    on: () => undefined,
    get: async (key: string) => {
      const [row] = await db.query<{ value: string }>(
        "select value from colloquy.records where place = $1 and key = $2",
        [place, escaped(key)],
      );
      return row && read(row.value);
    },
    // Without this method Keyv asks for one after the other, and takes each that could not be read for one that is not there.
    getMany: async (keys: readonly string[]) => {
      const rows = await db.query<{ key: string; value: string }>(
        "select key, value from colloquy.records where place = $1 and key = any($2)",
        [place, keys.map(escaped)],
      );
      const found = new Map(rows.map(({ key, value }) => [key, value]));
      return keys.map((key) => {
        const value = found.get(escaped(key));
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
        [place, escaped(key), JSON.stringify(envelope), revisionOf(envelope)],
      );
      if (written.length > 0) return true;
      throw new StoreError(
        "superseded",
        `The record ${key} in ${place} was written by another process meanwhile; it was left as that one has written it`,
      );
    },
    delete: async (key: string) => {
      const gone = await db.query("delete from colloquy.records where place = $1 and key = $2 returning 1", [
        place,
        escaped(key),
      ]);
      return gone.length > 0;
    },
    clear: async () => void (await db.query("delete from colloquy.records where place = $1", [place])),
    // In the order of the keys, so that what is written meanwhile moves nothing.
    iterator: async function* () {
      for (let after: string | undefined; ; ) {
        const rows: { key: string; value: string }[] = await db.query(
          `select key, value from colloquy.records where place = $1 and ($2::text is null or key > $2)
           order by key limit $3`,
          [place, after ?? null, PAGE],
        );
        for (const { key, value } of rows) yield [unescaped(key), read(value)];
        after = rows.at(-1)?.key;
        if (after === undefined) return;
      }
    },
  };
}

/** PostgreSQL's text cannot hold the character of code 0, and keys come from strangers. */
export function escaped(key: string): string {
  return key.replace(/[\\\0]/g, (character) => (character === "\0" ? "\\0" : "\\\\"));
}

/** The key as it was before it was escaped. */
export function unescaped(key: string): string {
  return key.replace(/\\([0\\])/g, (_, kind: string) => (kind === "0" ? "\0" : "\\"));
}

function revisionOf({ value }: Envelope): number | null {
  const { revision } = (value ?? {}) as { revision?: unknown };
  return typeof revision === "number" ? revision : null;
}

/** What somebody else has put there is handed on as it is: whoever reads it finds that it makes no sense. */
function read(text: string): Envelope {
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found === "object" && found !== null && "value" in found) return found;
  } catch {
    // Handed on below.
  }
  return { value: text };
}

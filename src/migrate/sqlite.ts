import { ConfigError } from "../errors.ts";
import { writeEntry } from "../queue/entry.ts";
import { claimStore } from "../store/claim.ts";
import type { Store } from "../store/store.ts";
import {
  type End,
  entryOf,
  type Item,
  type Listed,
  MARKER,
  PAGE,
  PLACES,
  type Place,
  toEventItem,
  toItem,
  valueOf,
} from "./end.ts";

type Query = <Row = unknown>(sql: string, values?: readonly unknown[]) => Promise<Row[]>;

/** What Keyv puts before each key of a table. */
const PREFIX = "keyv:";

/** All keys with the prefix are from it on and before this. */
const BEHIND_ALL = "keyv;";

/** The number of an entry, in SQL; what makes no sense comes first. */
const NUMBER =
  "case when json_valid(value) then coalesce(json_extract(value, '$.value.number'), 0) else 0 end";

/**
 * Makes an open SQLite store the end of a migration, which closes it; rejects with a `ConfigError` if a program works
 * on it.
 */
export async function openSqliteEnd(store: Store, url: string): Promise<End> {
  const claim = await claimStore(url);
  if (!claim) {
    await store.close();
    throw new ConfigError(
      "running",
      "a program works on this SQLite file, or another migration does: stop it, and migrate again",
    );
  }
  const query = await openTables(store);

  return {
    count: async (place) => {
      const [row] = await query<{ count: number }>(
        `select count(*) as count from ${place} where key >= ? and key < ? and key <> ?`,
        [PREFIX, BEHIND_ALL, hidden(place)],
      );
      return row?.count ?? 0;
    },
    list: (place, after) => (place === "queue" ? listQueue(query, after) : listRecords(query, place, after)),
    find: (place, keys) => find(query, place, keys),
    write: (place, items, marker) => write(query, { place, items, marker }),
    marker: async () => {
      const [row] = await query<{ value: string }>("select value from kept where key = ?", [PREFIX + MARKER]);
      return row && String(valueOf(row.value));
    },
    handOver: async () => undefined,
    removeMarker: async () => void (await query("delete from kept where key = ?", [PREFIX + MARKER])),
    checkAlone: async () => undefined,
    close: async () => {
      await store.close();
      await claim.release();
    },
  };
}

/** One connection reaches the tables of all places; it is the one that flushes what it writes. */
async function openTables(store: Store): Promise<Query> {
  for (const place of PLACES) await store.open(place, { flush: true });
  const { store: connection } = (await store.open("queue")) as unknown as {
    readonly store: { query(sql: string, values: readonly unknown[]): Promise<unknown> };
  };
  return async <Row>(sql: string, values: readonly unknown[] = []) =>
    (await connection.query(sql, values)) as Row[];
}

async function listRecords(query: Query, place: Place, after?: string): Promise<Listed[]> {
  const rows = await query<{ key: string; size: number | null }>(
    `select key, octet_length(value) as size from ${place}
     where key ${after === undefined ? ">=" : ">"} ? and key < ? and key <> ? order by key limit ${PAGE}`,
    [PREFIX + (after ?? ""), BEHIND_ALL, hidden(place)],
  );
  return rows.map(({ key: stored, size }) => {
    const key = stored.slice(PREFIX.length);
    return { key, size: size ?? 0, at: key };
  });
}

/** In the order in which the queue itself would go on with them. */
async function listQueue(query: Query, after = "[-1,0]"): Promise<Listed[]> {
  const rows = await query<{ key: string; size: number | null; number: unknown; row: number }>(
    `select key, octet_length(value) as size, ${NUMBER} as number, rowid as row from queue
     where key >= ? and key < ? and (${NUMBER}, rowid) > (?, ?) order by number, rowid limit ${PAGE}`,
    [PREFIX, BEHIND_ALL, ...(JSON.parse(after) as unknown[])],
  );
  return rows.map(({ key, size, number, row }) => ({
    key: key.slice(PREFIX.length),
    size: size ?? 0,
    at: JSON.stringify([number, row]),
  }));
}

async function find(query: Query, place: Place, keys: readonly string[]): Promise<Map<string, Item>> {
  const rows = await query<{ key: string; value: unknown }>(
    `select key, value from ${place} where key in (${keys.map(() => "?").join()})`,
    keys.map((key) => PREFIX + key),
  );
  return new Map(
    rows.map(({ key: stored, value }) => {
      const key = stored.slice(PREFIX.length);
      return [key, place === "queue" ? toEventItem(key, valueOf(String(value))) : toItem(key, value)];
    }),
  );
}

async function write(
  query: Query,
  { place, items, marker }: { place: Place; items: readonly Item[]; marker: string },
): Promise<void> {
  await query("begin immediate");
  try {
    if (items.length > 0) {
      await query(
        `insert into ${place} (key, value) values ${items.map(() => "(?, ?)").join()}`,
        items.flatMap((item) => [PREFIX + item.key, place === "queue" ? numbered(item) : item.text]),
      );
    }
    await query(
      "insert into kept (key, value) values (?, ?) on conflict (key) do update set value = excluded.value",
      [PREFIX + MARKER, JSON.stringify({ value: marker })],
    );
    await query("commit");
  } catch (error) {
    await query("rollback").catch(() => undefined);
    throw error;
  }
}

function numbered(item: Item): string {
  const entry = entryOf(item);
  return entry ? JSON.stringify({ value: writeEntry(entry) }) : item.text;
}

/** The key that nobody else is to see; without the prefix there is none. */
function hidden(place: Place): string {
  return place === "kept" ? PREFIX + MARKER : "";
}

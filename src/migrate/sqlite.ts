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
  TABLES,
  type CopiedTable,
  toEventItem,
  toItem,
  valueOf,
} from "./end.ts";

type Query = <Row = unknown>(sql: string, values?: readonly unknown[]) => Promise<Row[]>;

/** The prefix that Keyv adds to each key of a table. */
const PREFIX = "keyv:";

/** The upper bound, exclusive, of all keys with the prefix. */
const PREFIX_END = "keyv;";

/** The number of an entry, in SQL; invalid entries come first. */
const NUMBER =
  "case when json_valid(value) then coalesce(json_extract(value, '$.value.number'), 0) else 0 end";

/**
 * Opens one end of a migration on an open SQLite store, and closes that store; rejects with a `ConfigError` if a
 * program uses it.
 */
export async function openSqliteEnd(store: Store, url: string): Promise<End> {
  const claim = await claimStore(url);
  if (!claim) {
    await store.close();
    throw new ConfigError(
      "running",
      "a program or another migration uses this SQLite file: stop it, and migrate again",
    );
  }
  const query = await openTables(store);

  return {
    count: async (table) => {
      const [row] = await query<{ count: number }>(
        `select count(*) as count from ${table} where key >= ? and key < ? and key <> ?`,
        [PREFIX, PREFIX_END, hidden(table)],
      );
      return row?.count ?? 0;
    },
    list: (table, after) => (table === "queue" ? listQueue(query, after) : listRecords(query, table, after)),
    find: (table, keys) => find(query, table, keys),
    write: (table, items, marker) => write(query, { table, items, marker }),
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

/** Creates all tables; returns a query function on a connection that reaches all of them and flushes its writes. */
async function openTables(store: Store): Promise<Query> {
  for (const table of TABLES) await store.open(table, { flush: true });
  const { store: connection } = (await store.open("queue")) as unknown as {
    readonly store: { query(sql: string, values: readonly unknown[]): Promise<unknown> };
  };
  return async <Row>(sql: string, values: readonly unknown[] = []) =>
    (await connection.query(sql, values)) as Row[];
}

async function listRecords(query: Query, table: CopiedTable, after?: string): Promise<Listed[]> {
  const rows = await query<{ key: string; size: number | null }>(
    `select key, octet_length(value) as size from ${table}
     where key ${after === undefined ? ">=" : ">"} ? and key < ? and key <> ? order by key limit ${PAGE}`,
    [PREFIX + (after ?? ""), PREFIX_END, hidden(table)],
  );
  return rows.map(({ key: stored, size }) => {
    const key = stored.slice(PREFIX.length);
    return { key, size: size ?? 0, at: key };
  });
}

/** Lists events in the order in which the queue would process them. */
async function listQueue(query: Query, after = "[-1,0]"): Promise<Listed[]> {
  const rows = await query<{ key: string; size: number | null; number: unknown; row: number }>(
    `select key, octet_length(value) as size, ${NUMBER} as number, rowid as row from queue
     where key >= ? and key < ? and (${NUMBER}, rowid) > (?, ?) order by number, rowid limit ${PAGE}`,
    [PREFIX, PREFIX_END, ...(JSON.parse(after) as unknown[])],
  );
  return rows.map(({ key, size, number, row }) => ({
    key: key.slice(PREFIX.length),
    size: size ?? 0,
    at: JSON.stringify([number, row]),
  }));
}

async function find(query: Query, table: CopiedTable, keys: readonly string[]): Promise<Map<string, Item>> {
  const rows = await query<{ key: string; value: unknown }>(
    `select key, value from ${table} where key in (${keys.map(() => "?").join()})`,
    keys.map((key) => PREFIX + key),
  );
  return new Map(
    rows.map(({ key: stored, value }) => {
      const key = stored.slice(PREFIX.length);
      return [key, table === "queue" ? toEventItem(key, valueOf(String(value))) : toItem(key, value)];
    }),
  );
}

async function write(
  query: Query,
  { table, items, marker }: { table: CopiedTable; items: readonly Item[]; marker: string },
): Promise<void> {
  await query("begin immediate");
  try {
    if (items.length > 0) {
      await query(
        `insert into ${table} (key, value) values ${items.map(() => "(?, ?)").join()}`,
        items.flatMap((item) => [PREFIX + item.key, table === "queue" ? numbered(item) : item.text]),
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

/** The key to leave out of a table; where there is none, an empty key, which no key with the prefix is. */
function hidden(table: CopiedTable): string {
  return table === "kept" ? PREFIX + MARKER : "";
}

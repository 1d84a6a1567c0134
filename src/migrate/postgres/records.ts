import type { Postgres } from "../../postgres/pool.ts";
import { escapedKey, unescapedKey } from "../../postgres/records.ts";
import { type Item, MARKER, PAGE, type CopiedTable, toItem, valueOf } from "../end.ts";

/** The SQL that sets the marker to a parameter. */
export const MARK = `insert into colloquy.records (place, key, value) values ('kept', '${MARKER}', `;
export const OVER_OLD = ") on conflict (place, key) do update set value = excluded.value";

export async function listRecords(db: Postgres, table: CopiedTable, after?: string) {
  const rows = await db.query<{ key: string; size: number }>(
    `select key, octet_length(value) as size from colloquy.records
     where place = $1 and key <> $2 ${after === undefined ? "" : "and key > $3"} order by key limit ${PAGE}`,
    [table, hidden(table), ...(after === undefined ? [] : [escapedKey(after)])],
  );
  return rows.map(({ key: stored, size }) => {
    const key = unescapedKey(stored);
    return { key, size, at: key };
  });
}

export async function findRecords(
  db: Postgres,
  table: CopiedTable,
  keys: readonly string[],
): Promise<Map<string, Item>> {
  const rows = await db.query<{ key: string; value: string }>(
    "select key, value from colloquy.records where place = $1 and key = any($2)",
    [table, keys.map(escapedKey)],
  );
  return new Map(rows.map(({ key, value }) => [unescapedKey(key), toItem(unescapedKey(key), value)]));
}

export async function writeRecords(
  db: Postgres,
  { table, items, marker }: { table: CopiedTable; items: readonly Item[]; marker: string },
): Promise<void> {
  await db.query(
    `with put as (
       insert into colloquy.records (place, key, value, revision)
       select $1, * from unnest($2::text[], $3::text[], $4::bigint[])
     ) ${MARK} $5 ${OVER_OLD}`,
    [
      table,
      items.map(({ key }) => escapedKey(key)),
      items.map(({ text }) => text),
      items.map(revisionOf),
      JSON.stringify({ value: marker }),
    ],
  );
}

function revisionOf({ text }: Item): number | null {
  const { revision } = (valueOf(text) ?? {}) as { revision?: unknown };
  return typeof revision === "number" && Number.isSafeInteger(revision) ? revision : null;
}

/** The key to leave out of a table; where there is none, a single backslash, which no escaped key is. */
export function hidden(table: CopiedTable): string {
  return table === "kept" ? MARKER : "\\";
}

import { type End, type Item, pageOf, TABLES, type CopiedTable } from "./end.ts";
import type { Progress } from "./progress.ts";

interface Comparison {
  readonly source: End;
  readonly target: End;
  readonly progress: Progress;
}

/** Compares all records of both stores; returns the first difference as a clause of a sentence, or undefined. */
export async function findDifference(comparison: Comparison): Promise<string | undefined> {
  for (const table of TABLES) {
    const different = await (table === "queue"
      ? compareQueues(comparison)
      : compareRecords(comparison, table));
    if (different !== undefined) return different;
  }
  return undefined;
}

async function compareRecords(
  { source, target, progress }: Comparison,
  table: CopiedTable,
): Promise<string | undefined> {
  const total = await source.count(table);
  let done = 0;
  for await (const items of pages(source, table)) {
    const others = await target.find(
      table,
      items.map(({ key }) => key),
    );
    for (const { key, text } of items) {
      const other = others.get(key);
      if (!other) return `${named(table, key)} is missing in TO`;
      if (other.text !== text) return `${named(table, key)} differs in TO`;
    }
    done += items.length;
    progress.show({ action: "comparing", table, done, total });
  }
  if ((await target.count(table)) === done) return undefined;
  return findExtra({ source, target }, table);
}

/** The first record that only the target has. */
async function findExtra(
  { source, target }: Pick<Comparison, "source" | "target">,
  table: CopiedTable,
): Promise<string | undefined> {
  for await (const items of pages(target, table)) {
    const known = await source.find(
      table,
      items.map(({ key }) => key),
    );
    const extra = items.find(({ key }) => !known.has(key));
    if (extra) return `${named(table, extra.key)} is only in TO`;
  }
  return undefined;
}

/** Compares the queues entry by entry: their order must be the same, but not their numbers. */
async function compareQueues({ source, target, progress }: Comparison): Promise<string | undefined> {
  const total = await source.count("queue");
  let done = 0;
  const others = each(target);
  for await (const { key, text } of each(source)) {
    const { value: other } = await others.next();
    if (other?.key !== key) return `${named("queue", key)} is missing in TO, or out of order`;
    if (other.text !== text) return `${named("queue", key)} differs in TO`;
    done += 1;
    progress.show({ action: "comparing", table: "queue", done, total });
  }
  const { value: extra } = await others.next();
  return extra && `${named("queue", extra.key)} is only in TO`;
}

async function* each(end: End): AsyncGenerator<Item, undefined> {
  for await (const items of pages(end, "queue")) yield* items;
  return undefined;
}

async function* pages(end: End, table: CopiedTable): AsyncGenerator<Item[]> {
  for (let after: string | undefined; ; ) {
    const listed = pageOf(await end.list(table, after));
    after = listed.at(-1)?.at;
    if (after === undefined) return;
    const found = await end.find(
      table,
      listed.map(({ key }) => key),
    );
    yield listed.flatMap(({ key }) => found.get(key) ?? []);
  }
}

function named(table: CopiedTable, key: string): string {
  return `${table} ${JSON.stringify(key)}`;
}

import { z } from "zod";
import { type End, pageOf, type CopiedTable, TABLES } from "./end.ts";
import type { Progress } from "./progress.ts";

/** The progress of a migration: the current table, and the position up to which it was copied. */
export const marker = z.object({
  version: z.literal(1),
  from: z.string(),
  place: z.enum(TABLES),
  after: z.string().optional(),
});

export type Marker = z.infer<typeof marker>;

/** A migration that has begun. */
export interface Migration {
  readonly source: End;
  readonly target: End;
  readonly begun: Marker;
  readonly progress: Progress;
}

/** Copies all records that were not copied before. */
export async function copy({ source, target, begun, progress }: Migration): Promise<void> {
  for (const table of TABLES.slice(TABLES.indexOf(begun.place))) {
    const total = await source.count(table);
    let done = await target.count(table);
    let after = table === begun.place ? begun.after : undefined;
    for (;;) {
      const listed = pageOf(await source.list(table, after));
      after = listed.at(-1)?.at;
      if (after === undefined) break;
      await write({
        source,
        target,
        table,
        keys: listed.map(({ key }) => key),
        marker: { ...begun, place: table, after },
      });
      done += listed.length;
      progress.show({ action: "copying", table, done, total });
    }
  }
}

async function write({
  source,
  target,
  table,
  keys,
  marker,
}: Pick<Migration, "source" | "target"> & { table: CopiedTable; keys: readonly string[]; marker: Marker }) {
  const found = await source.find(table, keys);
  const items = keys.flatMap((key) => found.get(key) ?? []);
  await target.write(table, items, JSON.stringify(marker));
}

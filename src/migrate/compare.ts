import { type End, type Item, pageOf, PLACES, type Place } from "./end.ts";
import type { Progress } from "./progress.ts";

interface Comparison {
  readonly source: End;
  readonly target: End;
  readonly progress: Progress;
}

/** Reads both stores and compares each record; the first difference as half a sentence, or undefined. */
export async function findDifference(comparison: Comparison): Promise<string | undefined> {
  for (const place of PLACES) {
    const different = await (place === "queue"
      ? compareQueues(comparison)
      : compareRecords(comparison, place));
    if (different !== undefined) return different;
  }
  return undefined;
}

async function compareRecords(
  { source, target, progress }: Comparison,
  place: Place,
): Promise<string | undefined> {
  const total = await source.count(place);
  let done = 0;
  for await (const items of pages(source, place)) {
    const others = await target.find(
      place,
      items.map(({ key }) => key),
    );
    for (const { key, text } of items) {
      const other = others.get(key);
      if (!other) return `${named(place, key)} is missing in TO`;
      if (other.text !== text) return `${named(place, key)} is another one in TO`;
    }
    done += items.length;
    progress.show({ action: "comparing", place, done, total });
  }
  if ((await target.count(place)) === done) return undefined;
  return findStranger({ source, target }, place);
}

/** What is in the target alone. */
async function findStranger(
  { source, target }: Pick<Comparison, "source" | "target">,
  place: Place,
): Promise<string | undefined> {
  for await (const items of pages(target, place)) {
    const known = await source.find(
      place,
      items.map(({ key }) => key),
    );
    const stranger = items.find(({ key }) => !known.has(key));
    if (stranger) return `${named(place, stranger.key)} is in TO alone`;
  }
  return undefined;
}

/** Side by side, as their order counts; their numbers may differ. */
async function compareQueues({ source, target, progress }: Comparison): Promise<string | undefined> {
  const total = await source.count("queue");
  let done = 0;
  const others = each(target);
  for await (const { key, text } of each(source)) {
    const { value: other } = await others.next();
    if (other?.key !== key) return `${named("queue", key)} is missing in TO, or not in its turn`;
    if (other.text !== text) return `${named("queue", key)} is another one in TO`;
    done += 1;
    progress.show({ action: "comparing", place: "queue", done, total });
  }
  const { value: stranger } = await others.next();
  return stranger && `${named("queue", stranger.key)} is in TO alone`;
}

async function* each(end: End): AsyncGenerator<Item, undefined> {
  for await (const items of pages(end, "queue")) yield* items;
  return undefined;
}

async function* pages(end: End, place: Place): AsyncGenerator<Item[]> {
  for (let after: string | undefined; ; ) {
    const listed = pageOf(await end.list(place, after));
    after = listed.at(-1)?.at;
    if (after === undefined) return;
    const found = await end.find(
      place,
      listed.map(({ key }) => key),
    );
    yield listed.flatMap(({ key }) => found.get(key) ?? []);
  }
}

function named(place: Place, key: string): string {
  return `${place} ${JSON.stringify(key)}`;
}

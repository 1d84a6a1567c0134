import fc from "fast-check";
import type { ChatEvent } from "../../src/event.ts";
import { type QueueEntry, readEntry, writeEntry } from "../../src/queue/entry.ts";
import { openStore } from "../../src/store/store.ts";

const PLACES = ["history", "kept", "dead", "wishes"] as const;

/** All that stands in a store; of the queue in its order. */
export interface Stored {
  readonly records: Readonly<Record<(typeof PLACES)[number], ReadonlyMap<string, unknown>>>;
  readonly waiting: readonly Pick<QueueEntry, "event" | "attempts">[];
}

/** Writes it into an SQLite store. */
export async function fill(url: string, { records, waiting }: Stored): Promise<void> {
  const store = await openStore(url);
  for (const place of PLACES)
    for (const [key, value] of records[place]) await (await store.open(place)).set(key, value);
  const queue = await store.open("queue");
  const numbered = waiting.map((entry, index) =>
    writeEntry({ ...entry, number: 1_795_000_000_000_000 + index }),
  );
  // The order is that of the numbers, not of the table.
  for (const entry of numbered.toReversed()) await queue.set(entry.event.id, entry);
  await store.close();
}

/** What stands in a store of either kind. */
export async function contentOf(url: string): Promise<Stored> {
  const store = await openStore(url);
  const read = async (place: string) => {
    const found = new Map<string, unknown>();
    for await (const [key, value] of (await store.open(place)).iterator?.({}) ?? [])
      found.set(String(key), value);
    return found;
  };
  const rows = await store.postgres?.query<{ id: string; entry: string; attempts: number }>(
    "select id, entry, attempts from colloquy.inbox order by number",
  );
  const entries = rows
    ? rows.map(({ id, entry, attempts }) => ({ ...readEntry(id, JSON.parse(entry))!, attempts }))
    : [...(await read("queue"))]
        .map(([id, value]) => readEntry(id, value)!)
        .sort((a, b) => a.number - b.number);
  const stored = {
    records: {
      history: await read("history"),
      kept: await read("kept"),
      dead: await read("dead"),
      wishes: await read("wishes"),
    },
    waiting: entries.map(({ event, attempts }) => ({ event, attempts })),
  };
  await store.close();
  return stored;
}

/** A store with these conversations and events and nothing else. */
export function storedWith(parts: {
  readonly history?: Iterable<readonly [string, unknown]>;
  readonly waiting?: Stored["waiting"];
}): Stored {
  const records = { history: new Map(parts.history), kept: new Map(), dead: new Map(), wishes: new Map() };
  return { records, waiting: parts.waiting ?? [] };
}

/** An event of a person's direct chat. */
export function waitingEvent(user: string, number: number, more: Partial<ChatEvent> = {}): ChatEvent {
  return {
    id: `paper:${user}:${number}`,
    platform: "paper",
    user: { id: user },
    chat: { id: user, kind: "direct" },
    to: { page: number },
    text: `question ${number}`,
    at: number,
    ...more,
  };
}

/** Anything that may stand in a store. */
export function anyStored(): fc.Arbitrary<Stored> {
  const records = fc
    .uniqueArray(fc.tuple(anyKey(), anyRecord()), { selector: ([key]) => key, maxLength: 8 })
    .map((pairs) => new Map(pairs));
  const waiting = fc.tuple(
    fc.constantFrom("ann", "bob:%", "\\", "\0", "\u{1F600}"),
    fc.record({ text: fc.string({ unit: "binary" }), name: anyKey() }),
    fc.record({ attempts: fc.nat({ max: 8 }), overflow: fc.boolean(), group: fc.boolean() }),
    fc.constantFrom(undefined, "stop", "ask"),
  );
  return fc.record({
    records: fc.record({ history: records, kept: records, dead: records, wishes: records }),
    waiting: fc.array(waiting, { maxLength: 30 }).map((list) =>
      list.map(([user, { text, name }, { attempts, overflow, group }, command], index) => ({
        event: plain(
          waitingEvent(user, index, {
            text,
            user: { id: user, name },
            to: { [name]: [text, null] },
            ...(group && { chat: { id: "room", kind: "group" as const } }),
            ...(overflow && { overflow: true as const }),
            ...(command !== undefined && { command }),
          }),
        ),
        attempts,
      })),
    ),
  });
}

/** As ids of strangers may be. */
function anyKey(): fc.Arbitrary<string> {
  const odd = fc.constantFrom("\0", "\\", "\\0", "%", "_", "'", '"', ":", "\n", "{}");
  const unit = fc.oneof(fc.string({ minLength: 1, maxLength: 1, unit: "grapheme" }), odd);
  return fc.oneof(fc.string({ minLength: 1, unit }), fc.string({ minLength: 300, maxLength: 400, unit }));
}

function anyRecord(): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.jsonValue().map(plain) },
    {
      weight: 4,
      arbitrary: fc.record({ version: fc.nat(), revision: fc.nat(), text: fc.string({ unit: "binary" }) }),
    },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 100_000, max: 600_000 }).map((size) => ({ text: "多".repeat(size) })),
    },
  );
}

/** As it is after a way through JSON. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

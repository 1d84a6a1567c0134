import { type QueueEntry, readEntry, writeEntry } from "../queue/entry.ts";

/** The tables that are copied from one store into another, in this order. */
export const TABLES = ["history", "kept", "dead", "wishes", "web", "queue"] as const;

/** A table with records of one kind. */
export type CopiedTable = (typeof TABLES)[number];

/** The key in the table `kept` that holds the progress of a migration into the store. */
export const MARKER = "migration";

/** The maximum number of records in a page. */
export const PAGE = 500;

/** The maximum size of a page, in bytes. It always has at least one record: a conversation may have more than a MB. */
const PAGE_BYTES = 1_000_000;

/** A record in a form that is the same for all stores. */
export interface Item {
  readonly key: string;
  /** The value as JSON, in the envelope of Keyv; for a waiting event, its entry with the number 0. */
  readonly text: string;
  /** The number of a waiting event, larger than those of the events before it; undefined if the event is invalid. */
  readonly number?: number;
}

/** The key and position of a record, without its value. */
export interface Listed {
  readonly key: string;
  /** In bytes. */
  readonly size: number;
  /** The position after which the next page begins. */
  readonly at: string;
}

/** A store at one end of a migration; no program can use it until it is closed. */
export interface End {
  /** The number of records, without the marker. */
  count(table: CopiedTable): Promise<number>;
  /** Lists the next records, at most `PAGE`, events of the queue in its order; none at the end. */
  list(table: CopiedTable, after?: string): Promise<Listed[]>;
  /** Finds records by their keys; missing ones are left out. */
  find(table: CopiedTable, keys: readonly string[]): Promise<Map<string, Item>>;
  /** Appends records and sets the marker, atomically. */
  write(table: CopiedTable, items: readonly Item[], marker: string): Promise<void>;
  /** The marker; undefined if there is none. */
  marker(): Promise<string | undefined>;
  /** Hands the complete queue over to the program. Safe to call again. */
  handOver(): Promise<void>;
  removeMarker(): Promise<void>;
  /** Rejects with a `ConfigError` if a program uses the store all the same. */
  checkAlone(): Promise<void>;
  close(): Promise<void>;
}

/** The first records that make up a page. */
export function pageOf(listed: readonly Listed[]): readonly Listed[] {
  let bytes = 0;
  const end = listed.findIndex(({ size }, index) => {
    bytes += size;
    return index > 0 && bytes > PAGE_BYTES;
  });
  return end < 0 ? listed : listed.slice(0, end);
}

/** The value of a stored text; a text without the envelope, which another program stored, is the value itself. */
export function valueOf(text: string): unknown {
  const found = parse(text);
  return typeof found === "object" && found !== null && "value" in found ? found.value : text;
}

/** Converts a stored record. */
export function toItem(key: string, stored: unknown): Item {
  const text = String(stored);
  const found = parse(text);
  const whole = typeof found === "object" && found !== null && "value" in found;
  return { key, text: whole ? text : JSON.stringify({ value: text }) };
}

/**
 * Converts a waiting event. In some stores the number and the attempts are not in its entry: they are passed as
 * `known`.
 */
export function toEventItem(
  key: string,
  value: unknown,
  known?: { readonly number: number; readonly attempts: number },
): Item {
  const entry = readEntry(key, value);
  if (!entry) return { key, text: JSON.stringify({ value }) };
  const { number, event, attempts } = { ...entry, ...known };
  return {
    key: event.id,
    text: JSON.stringify({ value: writeEntry({ number: 0, event, attempts }) }),
    number,
  };
}

/** The entry of a waiting event; undefined if it is invalid. */
export function entryOf({ key, text, number }: Item): QueueEntry | undefined {
  const entry = number === undefined ? undefined : readEntry(key, valueOf(text));
  return entry && number !== undefined ? { ...entry, number } : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { type Entry, readEntry, writeEntry } from "../queue/entry.ts";

/** All that is copied from one store into another, in this order. */
export const PLACES = ["history", "kept", "dead", "wishes", "web", "queue"] as const;

/** Where records of one kind stand. */
export type Place = (typeof PLACES)[number];

/** Under this name stands among the kept texts of a store how much of a migration into it is done. */
export const MARKER = "migration";

/** So many records make a page at most. */
export const PAGE = 500;

/** A page ends after so many bytes, but has always one record: a conversation may have more than a MB. */
const PAGE_BYTES = 1_000_000;

/** A record in a form that all stores share. */
export interface Item {
  readonly key: string;
  /** Its value as JSON, in the envelope in which Keyv keeps values; of a waiting event an entry of number 0. */
  readonly text: string;
  /** That of a waiting event: larger than those of the events before it; undefined if the event makes no sense. */
  readonly number?: number;
}

/** Where a record stands, without it. */
export interface Listed {
  readonly key: string;
  /** In bytes. */
  readonly size: number;
  /** What to go on behind. */
  readonly at: string;
}

/** A store at one end of a migration; no program works on it until it is closed. */
export interface End {
  /** So many records stand there; the marker does not count. */
  count(place: Place): Promise<number>;
  /** The next `PAGE` records at most, those of the queue in the order of the queue; none at the end. */
  list(place: Place, after?: string): Promise<Listed[]>;
  /** Records by their keys as they are listed; what is not there is left out. */
  find(place: Place, keys: readonly string[]): Promise<Map<string, Item>>;
  /** Adds records behind all others and sets the marker: both or nothing. */
  write(place: Place, items: readonly Item[], marker: string): Promise<void>;
  /** The marker; undefined if there is none. */
  marker(): Promise<string | undefined>;
  /** Hands the queue over to the program: all is there. Safe to call again. */
  handOver(): Promise<void>;
  removeMarker(): Promise<void>;
  /** Rejects with a `ConfigError` if a program works on it all the same. */
  checkAlone(): Promise<void>;
  close(): Promise<void>;
}

/** The first of them that make a page. */
export function pageOf(listed: readonly Listed[]): readonly Listed[] {
  let bytes = 0;
  const end = listed.findIndex(({ size }, index) => {
    bytes += size;
    return index > 0 && bytes > PAGE_BYTES;
  });
  return end < 0 ? listed : listed.slice(0, end);
}

/** A value as it stands in a store; what somebody else has put there is kept as the text that it is. */
export function valueOf(text: string): unknown {
  const found = parse(text);
  return typeof found === "object" && found !== null && "value" in found ? found.value : text;
}

/** A record as it stands in a store. */
export function toItem(key: string, stored: unknown): Item {
  const text = String(stored);
  const found = parse(text);
  const whole = typeof found === "object" && found !== null && "value" in found;
  return { key, text: whole ? text : JSON.stringify({ value: text }) };
}

/** A waiting event; the number and the attempts of its entry are not the true ones in every store. */
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

/** The entry of a waiting event; undefined if it makes no sense. */
export function entryOf({ key, text, number }: Item): Entry | undefined {
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

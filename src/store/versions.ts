import { StoreError } from "../errors.ts";

/** A record as it stands in the store; without `version` it is of version 1. */
export type StoredRecord = Readonly<Record<string, unknown>>;

/** Makes of a record of one version the same in the next; it leaves alone what it is given. */
export type Upgrade = (record: StoredRecord) => StoredRecord;

/**
 * A record of any version as one of the newest, which is the number of steps plus one: a migration is one more
 * step at the end. Throws a `StoreError` if a newer program has written it, so that nothing of it is lost here.
 */
export function upgrade(found: unknown, steps: readonly Upgrade[], what: string): StoredRecord {
  const stored: StoredRecord = typeof found === "object" && found !== null ? { ...found } : {};
  const { version = 1 } = stored;
  const newest = steps.length + 1;
  if (typeof version !== "number" || !Number.isInteger(version) || version < 1 || version > newest) {
    throw new StoreError(
      "version",
      `${what} is of version ${JSON.stringify(version)}, and this program knows ${newest} at most. ` +
        "It was left untouched. Run the newer program that has written it.",
    );
  }
  const upgraded = steps.slice(version - 1).reduce((record, step) => step(record), stored);
  return { ...upgraded, version: newest };
}

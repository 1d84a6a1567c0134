import { StoreError } from "../errors.ts";

/** A record as it was read from the store; without a `version` it has version 1. */
export type StoredRecord = Readonly<Record<string, unknown>>;

/** Converts a record from one version to the next. It returns a new object and does not change its argument. */
export type Upgrade = (record: StoredRecord) => StoredRecord;

/**
 * Converts a record of any version to the newest, which is the number of steps plus one; append a step to add a
 * migration. Throws a `StoreError` if a newer program wrote the record, so that none of its data is lost.
 */
export function upgrade(found: unknown, steps: readonly Upgrade[], what: string): StoredRecord {
  const stored: StoredRecord = typeof found === "object" && found !== null ? { ...found } : {};
  const { version = 1 } = stored;
  const newest = steps.length + 1;
  if (typeof version !== "number" || !Number.isInteger(version) || version < 1 || version > newest) {
    throw new StoreError(
      "version",
      `${what} has version ${JSON.stringify(version)}, but this program supports at most version ${newest}. ` +
        "It was left unchanged. Run the newer program that wrote it.",
    );
  }
  const upgraded = steps.slice(version - 1).reduce((record, step) => step(record), stored);
  return { ...upgraded, version: newest };
}

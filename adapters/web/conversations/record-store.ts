/** A key-value store of small JSON records that outlive the process. Every method rejects if the store fails. */
export interface RecordStore {
  get(key: string): Promise<unknown>;
  /** The records in the order of `keys`; undefined for each that does not exist. */
  getMany(keys: readonly string[]): Promise<readonly unknown[]>;
  set(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
  /** The keys that begin with `prefix`, in order. */
  keys(prefix: string): Promise<readonly string[]>;
  /** The number of records whose keys begin with `prefix`, and their total size in bytes. */
  size(prefix: string): Promise<{ readonly count: number; readonly bytes: number }>;
}

/** Joins parts to a key. Parts are escaped, so that different parts never give the same key. */
export function recordKey(...parts: readonly string[]): string {
  return parts.map(encodeURIComponent).join(":");
}

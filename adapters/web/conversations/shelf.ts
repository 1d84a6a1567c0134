/** Small JSON records that outlive the process. Every method rejects if the store does not work. */
export interface Shelf {
  get(key: string): Promise<unknown>;
  /** In the order of the keys; undefined for what is not there. */
  getMany(keys: readonly string[]): Promise<readonly unknown[]>;
  set(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
  /** The keys that begin with `prefix`, in order. */
  keys(prefix: string): Promise<readonly string[]>;
  /** How many records have keys that begin with `prefix`, and how large they are in bytes. */
  size(prefix: string): Promise<{ readonly count: number; readonly bytes: number }>;
}

/** A key of its parts, such that no part can be taken for two. */
export function shelfKey(...parts: readonly string[]): string {
  return parts.map(encodeURIComponent).join(":");
}

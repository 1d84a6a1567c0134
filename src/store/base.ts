import type Keyv from "keyv";
import { StoreError } from "../errors.ts";
import type { Size, Store } from "./store.ts";

/** Values are plain JSON, and `JSON.stringify` writes a long record in about two thirds of the time of Keyv's own serializer. */
export const KEYV_OPTIONS = { throwOnErrors: true, serialize: JSON.stringify, deserialize } as const;

/** The prefix that Keyv gives each key, unless `useKeyPrefix` is off. */
const KEYV_PREFIX = "keyv:";

/** How old the value that a check reads back may be, in ms. */
const MAX_CHECK_MS = 60_000;

/**
 * Parses a stored value. A text that is not one of our records is returned as the value, and the caller finds it
 * invalid: one damaged row must not prevent the others from being read.
 */
function deserialize(text: string): object {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return { value: text };
  }
  return typeof found === "object" && found !== null && "value" in found ? found : { value: text };
}

/** Builds a store from the operations in which the databases differ. */
export function createStore({
  create,
  keys,
  size,
  backup,
}: {
  create: (name: string, flush: boolean) => Promise<Keyv>;
  keys: (name: string, prefix: string, keyv: Keyv) => Promise<string[]>;
  size: (name: string, prefix: string, keyv: Keyv) => Promise<Size>;
  backup: (path: string) => Promise<void>;
}): Store {
  const opened = new Map<string, Keyv>();
  const prefixOf = ({ useKeyPrefix }: Keyv) => (useKeyPrefix ? KEYV_PREFIX : "");
  const store: Store = {
    open: async (name, { flush = false } = {}) => {
      const keyv = opened.get(name) ?? (await create(name, flush));
      opened.set(name, keyv);
      return keyv;
    },
    keys: async (name, prefix) => {
      const keyv = await store.open(name);
      const found = await keys(name, prefixOf(keyv) + prefix, keyv);
      return found.map((key) => key.slice(prefixOf(keyv).length));
    },
    size: async (name, prefix) => {
      const keyv = await store.open(name);
      return size(name, prefixOf(keyv) + prefix, keyv);
    },
    check: async () => {
      const keyv = await store.open("probe");
      const now = Date.now();
      await keyv.set("checked", now);
      const read: unknown = await keyv.get("checked");
      // Another process may have written its own time before or after.
      if (!(Number(read) >= now - MAX_CHECK_MS))
        throw new StoreError(
          "check",
          "The store (STORE_URL) does not return what was just written to it: check the disk or the database server.",
        );
    },
    backup,
    close: async () => {
      for (const keyv of opened.values()) await keyv.disconnect();
      opened.clear();
    },
  };
  return store;
}

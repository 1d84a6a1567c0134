import type Keyv from "keyv";
import { StoreError } from "../errors.ts";
import type { Size, Store } from "./store.ts";

/** What is stored is plain JSON: JSON's own functions write a long record in about two thirds of Keyv's time. */
export const KEYV_OPTIONS = { throwOnErrors: true, serialize: JSON.stringify, deserialize } as const;

/** What Keyv puts before each key, but where we are its storage. */
const KEYV_PREFIX = "keyv:";

/** What a check reads back is not older than this, in ms. */
const MAX_CHECK_MS = 60_000;

/**
 * What somebody else has put in the place of a record is handed on as it is, so that whoever reads it finds that it
 * makes no sense: one such row must not stop all others from being read.
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

/** What all stores share, around what each does in its own way. */
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
  const store: Store = {
    open: async (name, { flush = false } = {}) => {
      const keyv = opened.get(name) ?? (await create(name, flush));
      opened.set(name, keyv);
      return keyv;
    },
    keys: async (name, prefix) => {
      const keyv = await store.open(name);
      const before = keyv.useKeyPrefix ? KEYV_PREFIX : "";
      const found = await keys(name, before + prefix, keyv);
      return found.map((key) => key.slice(before.length));
    },
    size: async (name, prefix) => {
      const keyv = await store.open(name);
      return size(name, (keyv.useKeyPrefix ? KEYV_PREFIX : "") + prefix, keyv);
    },
    check: async () => {
      const keyv = await store.open("probe");
      const now = Date.now();
      await keyv.set("checked", now);
      const read: unknown = await keyv.get("checked");
      // Another process may have written since, or a little earlier.
      if (!(Number(read) >= now - MAX_CHECK_MS))
        throw new StoreError("check", "what was written could not be read back");
    },
    backup,
    close: async () => {
      for (const keyv of opened.values()) await keyv.disconnect();
      opened.clear();
    },
  };
  return store;
}

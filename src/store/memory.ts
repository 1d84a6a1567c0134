import Keyv from "keyv";
import { ConfigError } from "../errors.ts";
import { createStore, KEYV_OPTIONS } from "./base.ts";
import type { Store } from "./store.ts";

/** Opens a store in memory, which is lost when the process ends. */
export function openMemory(): Store {
  return createStore({
    create: async () => new Keyv(KEYV_OPTIONS),
    keys: async (_, prefix, keyv) =>
      [...(keyv.store as Map<string, unknown>).keys()].filter((key) => key.startsWith(prefix)).sort(),
    size: async (_, prefix, keyv) => {
      const all = [...(keyv.store as Map<string, unknown>)].filter(([key]) => key.startsWith(prefix));
      const bytes = all.reduce((sum, [, value]) => sum + Buffer.byteLength(String(value)), 0);
      return { count: all.length, bytes };
    },
    backup: async () => {
      throw new ConfigError(
        "store_url",
        "STORE_URL is memory:, which has nothing to back up. Use sqlite: or postgres: to keep data.",
      );
    },
  });
}

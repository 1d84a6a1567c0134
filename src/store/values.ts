import type { Store } from "./store.ts";

/** Single texts beside the histories, for whatever must be known after a crash and is no event. */
export interface ValueStore {
  /** The place of one text, by its name. */
  at(name: string): { load(): Promise<string | undefined>; save(text: string): Promise<void> };
}

/** Keeps texts in a store. */
export function createValueStore(store: Store): ValueStore {
  return {
    at: (name) => ({
      load: async () => {
        const text: unknown = await (await store.open("kept")).get(name);
        return typeof text === "string" ? text : undefined;
      },
      save: async (text) => void (await (await store.open("kept")).set(name, text)),
    }),
  };
}

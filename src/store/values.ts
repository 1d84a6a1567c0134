import type { Store } from "./store.ts";

/** Small named texts that must survive a crash, such as the position in an event stream. */
export interface ValueStore {
  /** Gives access to the text with this name. */
  at(name: string): { load(): Promise<string | undefined>; save(text: string): Promise<void> };
}

/** Creates a value store in a store. */
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

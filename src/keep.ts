import { openStore, type Store } from "./store.ts";

/** Single texts beside the histories, for whatever must be known after a crash and is no event. */
export interface Keep {
  /** The place of one text, by its name. */
  at(name: string): { load(): Promise<string | undefined>; save(text: string): Promise<void> };
  close(): Promise<void>;
}

/** Keeps texts in the store of a `STORE_URL`, which is opened with the first use. */
export function createKeep(url: string): Keep {
  let store: Promise<Store> | undefined;

  async function open() {
    store ??= openStore(url);
    const opened = await store.catch((error: unknown) => {
      // The next use tries again.
      store = undefined;
      throw error;
    });
    return opened.open("kept");
  }

  return {
    at: (name) => ({
      load: async () => {
        const text: unknown = await (await open()).get(name);
        return typeof text === "string" ? text : undefined;
      },
      save: async (text) => void (await (await open()).set(name, text)),
    }),
    close: async () => {
      const opened = await store?.catch(() => undefined);
      store = undefined;
      await opened?.close();
    },
  };
}

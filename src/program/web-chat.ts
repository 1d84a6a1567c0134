import { createWeb, type RecordStore, type Web, type WebOptions } from "../../adapters/web/index.ts";
import { createHistory } from "../conversation/conversation.ts";
import { type ExportFormat, print } from "../exchange/export.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store/store.ts";
import { keyOf } from "../conversation/threads.ts";
import { byDayAndModel } from "../conversation/usage.ts";

export interface WebChatOptions {
  readonly store: Store;
  /** The usual ones first. */
  readonly personas: readonly string[];
  readonly models: readonly string[];
  /** What stands before or behind amounts of money. */
  readonly currency: string;
  /** Where people find the page, if it is not only on this machine. */
  readonly url?: string | undefined;
  /** Counts what people say; everything passes if absent. */
  readonly admit?: WebOptions["admit"];
  readonly log: Log;
}

const FORMATS = { md: "markdown", jsonl: "jsonl", json: "json" } as const satisfies Record<
  string,
  ExportFormat
>;

/** The web chat, with what it shows of conversations taken from the store. */
export async function createWebChat(options: WebChatOptions): Promise<Web> {
  const { store, personas, models, currency, url, admit, log } = options;
  const history = createHistory(await store.open("history"));
  const load = (user: string, thread: string) => history.load(keyOf("web", user, thread));
  return createWeb({
    recordStore: await openRecordStore(store),
    personas,
    models,
    currency,
    url,
    admit,
    log,
    conversations: {
      chosen: load,
      spent: async (user, thread) => (await load(user, thread)).usage,
      export: async (user, thread, format) => {
        const conversation = await load(user, thread);
        const pieces: string[] = [];
        for await (const piece of print(FORMATS[format], one([user, conversation] as const)))
          pieces.push(piece);
        return pieces.join("");
      },
      usage: async (user) => {
        const keys = await store.keys("history", `${keyOf("web", user)}:`);
        const all = await Promise.all(keys.map((key) => history.load(key)));
        return byDayAndModel(all.map(({ usage }) => usage)).map(
          ({ day, model, turns, input, output, cost, estimated }) => ({
            day,
            model,
            turns,
            input,
            output,
            estimated: Boolean(estimated),
            ...(cost !== undefined && { cost }),
          }),
        );
      },
    },
  });
}

/** What the web chat keeps, in the store of everything. */
export async function openRecordStore(store: Store): Promise<RecordStore> {
  const keyv = await store.open("web");
  return {
    get: (key) => keyv.get<unknown>(key),
    getMany: (keys) => (keys.length > 0 ? keyv.getMany<unknown>([...keys]) : Promise.resolve([])),
    set: async (key, value) => void (await keyv.set(key, value)),
    delete: async (key) => void (await keyv.delete(key)),
    keys: (prefix) => store.keys("web", prefix),
    size: (prefix) => store.size("web", prefix),
  };
}

async function* one<T>(item: T): AsyncGenerator<T> {
  yield item;
}

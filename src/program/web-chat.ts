import { createWeb, type RecordStore, type Web, type WebOptions } from "../../adapters/web/index.ts";
import { openHistory, type History } from "../conversation/conversation.ts";
import { keyOf } from "../conversation/threads.ts";
import { byDayAndModel } from "../conversation/usage.ts";
import { type ExportFormat, print } from "../exchange/export.ts";
import type { Log } from "../log.ts";
import type { Model } from "../model/model.ts";
import type { Store } from "../store/store.ts";
import { one } from "./one.ts";

export interface WebChatOptions {
  /** The models that users may choose, the usual one first. */
  readonly model: readonly Pick<Model, "name">[];
  /** The text of the usual persona. */
  readonly persona: string;
  /** The text of each persona, by name. */
  readonly personas: ReadonlyMap<string, string>;
  /** Shown before or after amounts of money. */
  readonly currency: string;
  /** The public address of the page, if it is open to other machines. */
  readonly url?: string | undefined;
  /** Counts what users write, and can refuse it; without it everything is accepted. */
  readonly admit?: WebOptions["admit"];
  readonly log: Log;
}

const FORMATS = { md: "markdown", jsonl: "jsonl", json: "json" } as const satisfies Record<
  string,
  ExportFormat
>;

/** Opens the web chat, which reads conversations and usage from the store. */
export async function openWebChat(store: Store, options: WebChatOptions): Promise<Web> {
  const { model: models, persona, personas, currency, url, admit, log } = options;
  const history = await openHistory(store);
  const usual = [...personas.keys()].filter((name) => personas.get(name) === persona);
  return createWeb({
    recordStore: await openRecordStore(store),
    personas: [...new Set([...usual, ...personas.keys()])],
    models: models.map(({ name }) => name),
    currency,
    url,
    admit,
    log: log.child({ platform: "web" }),
    conversations: conversationsIn(store, history),
  });
}

function conversationsIn(store: Store, history: History): WebOptions["conversations"] {
  const load = (user: string, thread: string) => history.load(keyOf("web", user, thread));
  return {
    chosen: load,
    spent: async (user, thread) => (await load(user, thread)).usage,
    export: async (user, thread, format) => {
      const conversation = await load(user, thread);
      const chunks: string[] = [];
      for await (const chunk of print(FORMATS[format], one([user, conversation] as const)))
        chunks.push(chunk);
      return chunks.join("");
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
  };
}

/** Opens the part of the store in which the web chat saves its own records. */
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

import type Keyv from "keyv";
import { StoreError } from "../errors.ts";
import type { Choice } from "../text/dialect/dialect.ts";
import { readRecord, writeRecord } from "./record.ts";
import type { Store } from "../store/store.ts";

/**
 * The record of one conversation: its messages, its usage, and the answer that is being sent. It is written in one `set`,
 * so that its parts are always consistent.
 */
export interface Conversation {
  readonly key: string;
  /** Increases with each save. If processes share a store, one whose conversation was taken over can no longer save it. */
  readonly revision: number;
  /** Oldest first. Each question is followed by its answer. */
  messages: ConversationMessage[];
  /** Summarises earlier messages that were removed because the history became too long. */
  summary?: string | undefined;
  /** The name that the user gave it. */
  title?: string | undefined;
  /** The name of the persona that the user chose; the program's persona if absent. */
  persona?: string | undefined;
  /** The system prompt of an imported conversation, which replaces the persona. */
  system?: string | undefined;
  /** The name of the model that the user chose; the program's first model if absent. */
  model?: string | undefined;
  readonly usage: ConversationUsage;
  /** The ids of the most recently answered events, oldest first, so that a redelivered event is not answered twice. */
  answered: string[];
  outbox?: Outbox | undefined;
  /** The reference of the bot's last message here. An unknown message of the bot that is newer was sent but not recorded. */
  readonly last?: string | undefined;
  /** When the bot last apologised for questions that were too old to answer, in ms since the epoch. */
  apologised?: number | undefined;
}

/** The usage of some turns. */
export interface UsageTotals {
  turns: number;
  /** Tokens sent to the model. */
  input: number;
  /** Tokens that the model wrote. */
  output: number;
  /** How many of these tokens we counted ourselves, because the service reported no usage. */
  estimated?: number | undefined;
  /** In the currency of the prices; absent if no price is known. */
  cost?: number | undefined;
  /** How many of these tokens have no known price. */
  unpriced?: number | undefined;
}

/** The usage of a conversation, in total and by day (in UTC, such as "2026-11-23") and model. */
export interface ConversationUsage extends UsageTotals {
  days: { [day: string]: { [model: string]: UsageTotals } };
}

/** One message of the history. */
export interface ConversationMessage {
  readonly role: "user" | "assistant";
  readonly content: string;
  /** References of the images sent with it, which its adapter resolves. */
  readonly images?: readonly string[] | undefined;
  /** When it was written, in ms since the epoch. */
  readonly at: number;
}

/** The answer that is being sent. */
export interface Outbox {
  /** The id of the event that it answers. */
  readonly event: string;
  /** The whole answer in Markdown; absent until it is complete, empty if there is no answer. */
  readonly text?: string | undefined;
  /** The choices offered with the answer; absent until it is complete. */
  readonly choices?: readonly Choice[] | undefined;
  /** The messages already posted, in order. */
  readonly shown: readonly PostedMessage[];
  /**
   * Present if another message was about to be sent when this was written, and may have been posted. It is newer than
   * the message with this reference; the reference is empty if no earlier message was known.
   */
  readonly sending?: string | undefined;
}

/** A message that the bot posted on the platform. */
export interface PostedMessage {
  readonly ref: string;
  /** A digest of its content; empty if unknown. */
  readonly digest: string;
}

/** Loads and saves conversations. */
export interface History {
  /** Loads a record, or creates an empty one. Rejects with a `StoreError` if it cannot be read; then it must not be saved. */
  load(key: string): Promise<Conversation>;
  /**
   * Saves a record, without what exceeds the limits below. Rejects with the `StoreError` `superseded` if another process
   * has saved this `revision` or a later one.
   */
  save(conversation: Conversation): Promise<void>;
}

/** The number of messages kept. The record is rewritten with every turn, so it must not grow without limit. */
export const MAX_MESSAGES = 200;
/** The number of characters kept in all messages; the last two messages are always kept. */
export const MAX_CHARACTERS = 400_000;
/** The number of answered event ids kept, far more than a platform redelivers. */
export const MAX_IDS = 100;

/** The number of days whose usage is kept separately. Older days count only in the total. */
const MAX_DAYS = 400;

/** Opens the histories of a store. */
export async function openHistory(store: Pick<Store, "open">): Promise<History> {
  return createHistory(await store.open("history"));
}

/** Creates a history in a Keyv, which must throw on errors. */
export function createHistory(keyv: Keyv): History {
  return {
    load: async (key) => {
      const found = await attempt(key, "read", () => keyv.get<unknown>(key));
      if (found === undefined || found === null) return emptyConversation(key);
      return readRecord(key, found);
    },
    save: async (conversation) => {
      const record = writeRecord(trim(conversation));
      await attempt(conversation.key, "write", () => keyv.set(conversation.key, record));
    },
  };
}

/** Builds the system prompt from the persona and the summary of earlier messages. */
export function withSummary(persona: string, summary: string | undefined): string {
  const earlier = summary ? `What was said earlier in this conversation, in short:\n${summary}` : "";
  return [persona, earlier].filter(Boolean).join("\n\n");
}

/** Whether an error is about a single invalid record; other records may be valid. */
export function isInvalidRecord(error: unknown): boolean {
  return error instanceof StoreError && ["record", "version"].includes(error.code);
}

/** Creates a conversation without messages. */
export function emptyConversation(key: string): Conversation {
  return { key, revision: 0, messages: [], usage: { turns: 0, input: 0, output: 0, days: {} }, answered: [] };
}

function trim(conversation: Conversation): Conversation {
  const { messages, answered, usage } = conversation;
  let from = Math.max(0, messages.length - MAX_MESSAGES);
  let characters = messages.slice(from).reduce((sum, { content }) => sum + content.length, 0);
  while (characters > MAX_CHARACTERS && from < messages.length - 2) {
    characters -= messages[from]?.content.length ?? 0;
    from += 1;
  }
  if (from > 0 && messages[from]?.role === "assistant") from += 1;
  const days = Object.entries(usage.days).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    ...conversation,
    messages: messages.slice(from),
    answered: answered.slice(-MAX_IDS),
    usage: { ...usage, days: Object.fromEntries(days.slice(-MAX_DAYS)) },
  };
}

async function attempt<T>(key: string, what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    const code = cause instanceof StoreError && cause.code === "superseded" ? cause.code : what;
    throw new StoreError(code, `Could not ${what} the conversation ${key}`, { cause });
  }
}

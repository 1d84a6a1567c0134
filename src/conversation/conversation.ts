import type Keyv from "keyv";
import { z } from "zod";
import { StoreError } from "../errors.ts";
import type { Choice } from "../text/dialect/dialect.ts";
import { type Upgrade, type StoredRecord, upgrade } from "../store/versions.ts";

/**
 * All that is kept of one conversation, in one record: what was said, what it cost, and the answer on its
 * way out. It is written in one `set`, so that its parts never disagree.
 */
export interface Conversation {
  readonly key: string;
  /** Larger with each save: where processes share a store, one that has lost its turn to another saves no more. */
  readonly revision: number;
  /** Oldest first; a question and its answer follow one another. */
  messages: ConversationMessage[];
  /** What was said before the messages, in short, once that has become too much. */
  summary?: string | undefined;
  /** What the person calls it. */
  title?: string | undefined;
  /** The name of the persona that the person has chosen; else the one of the program. */
  persona?: string | undefined;
  /** What the model is told about itself instead of any persona: it came with an imported conversation. */
  system?: string | undefined;
  /** The name of the model that the person has chosen; else the first of the program. */
  model?: string | undefined;
  readonly usage: ConversationUsage;
  /** The ids of the last events that were answered, oldest first: a redelivered event is not answered twice. */
  answered: string[];
  outbox?: Outbox | undefined;
  /** The last message that the bot has shown in this conversation: what is newer and unknown was never recorded. */
  readonly last?: string | undefined;
  /** When the bot last apologised for questions that it found too late to answer, in ms since the epoch. */
  apologised?: number | undefined;
}

/** What a number of turns have cost. */
export interface UsageTotals {
  turns: number;
  /** Tokens that the model was sent, and that it wrote. */
  input: number;
  output: number;
  /** So many of these tokens are our own count, as the service told none. */
  estimated?: number | undefined;
  /** In the currency of the prices; absent where no price is known. */
  cost?: number | undefined;
  /** So many of the tokens had no price. */
  unpriced?: number | undefined;
}

/** What a conversation has cost, in all and by day (UTC, such as "2026-11-23") and model. */
export interface ConversationUsage extends UsageTotals {
  days: { [day: string]: { [model: string]: UsageTotals } };
}

/** One message of the history. */
export interface ConversationMessage {
  readonly role: "user" | "assistant";
  readonly content: string;
  /** Images that were sent along, by which the adapter finds them. */
  readonly images?: readonly string[] | undefined;
  /** When it was said, in ms since the epoch. */
  readonly at: number;
}

/** The answer on its way out. */
export interface Outbox {
  /** The event that it answers. */
  readonly event: string;
  /** The whole answer in Markdown, once it is known; empty if there is nothing to say. */
  readonly text?: string | undefined;
  /** What the person may choose from, once the answer is known. */
  readonly choices?: readonly Choice[] | undefined;
  /** The messages already shown, in order. */
  readonly shown: readonly PostedMessage[];
  /**
   * One more message was about to be sent when this was written: it may stand there already. It is newer than the
   * message with this reference; empty if none was known.
   */
  readonly sending?: string | undefined;
}

/** A message on the platform. */
export interface PostedMessage {
  readonly ref: string;
  /** A digest of what it shows; empty if unknown. */
  readonly digest: string;
}

/** Loads and saves conversations. */
export interface History {
  /** The record, or a new one. Rejects with a `StoreError` if it cannot be read: then write nothing. */
  load(key: string): Promise<Conversation>;
  /**
   * Resolves once written; the record is cut to what is kept (see `KEPT_*`). Rejects with the `StoreError`
   * `superseded` if another process has saved this `revision` or a later one.
   */
  save(conversation: Conversation): Promise<void>;
}

/** So many messages are kept: the record is rewritten with every turn and must not grow without end. */
export const MAX_MESSAGES = 200;
/** So many characters of messages are kept, but always the last two messages. */
export const MAX_CHARACTERS = 400_000;
/** So many ids of answered events are kept: far more than a platform delivers again. */
export const MAX_IDS = 100;

/** So many days of usage are kept one by one; older ones count in the sum alone. */
const KEPT_DAYS = 400;

/** From each version of the record to the next. */
const STEPS: readonly Upgrade[] = [sendingAsReference];
const VERSION = STEPS.length + 1;

const spent = z.object({
  turns: z.number(),
  input: z.number(),
  output: z.number(),
  estimated: z.number().optional(),
  cost: z.number().optional(),
  unpriced: z.number().optional(),
});

const saying = z.object({
  role: z.enum(["user", "assistant"]),
  content: z.string(),
  images: z.array(z.string()).optional(),
  at: z.number(),
});

const record = z.object({
  version: z.number(),
  key: z.string(),
  revision: z.int().nonnegative().default(0),
  messages: z.array(saying),
  summary: z.string().optional(),
  title: z.string().optional(),
  persona: z.string().optional(),
  system: z.string().optional(),
  model: z.string().optional(),
  usage: spent.extend({
    days: z.record(z.string(), z.record(z.string(), spent)).default({}),
  }),
  answered: z.array(z.string()),
  outbox: z
    .object({
      event: z.string(),
      text: z.string().optional(),
      choices: z.array(z.object({ label: z.string(), command: z.string(), text: z.string() })).optional(),
      shown: z.array(z.object({ ref: z.string(), digest: z.string() })),
      sending: z.string().optional(),
    })
    .optional(),
  last: z.string().optional(),
  apologised: z.number().optional(),
});

/** Histories in a Keyv that throws on errors. */
export function createHistory(keyv: Keyv): History {
  return {
    load: async (key) => {
      const found = await attempt(key, "read", () => keyv.get<unknown>(key));
      if (found === undefined || found === null) return emptyConversation(key);
      const parsed = record.safeParse(upgrade(found, STEPS, `The stored conversation ${key}`));
      if (parsed.success) return parsed.data;
      throw new StoreError(
        "record",
        `The stored conversation ${key} cannot be understood (${z.prettifyError(parsed.error)}). ` +
          "It was left unchanged.",
      );
    },
    save: async (conversation) => {
      const kept = { version: VERSION, ...trim(conversation) };
      await attempt(conversation.key, "write", () => keyv.set(conversation.key, kept));
    },
  };
}

/** What the model is told before the messages: the persona, and what was said before them. */
export function withSummary(persona: string, summary: string | undefined): string {
  const earlier = summary ? `What was said earlier in this conversation, in short:\n${summary}` : "";
  return [persona, earlier].filter(Boolean).join("\n\n");
}

/** Whether a record can be read but not understood: others may be sound. */
export function isInvalidRecord(error: unknown): boolean {
  return error instanceof StoreError && ["record", "version"].includes(error.code);
}

/** A conversation in which nothing was said yet. */
export function emptyConversation(key: string): Conversation {
  return { key, revision: 0, messages: [], usage: { turns: 0, input: 0, output: 0, days: {} }, answered: [] };
}

/** Whether a message was being sent used to be yes or no. */
function sendingAsReference(stored: StoredRecord): StoredRecord {
  const { outbox } = stored;
  if (typeof outbox !== "object" || outbox === null) return stored;
  const { sending, ...rest } = outbox as { readonly sending?: unknown };
  return { ...stored, outbox: { ...rest, ...(sending === true && { sending: "" }) } };
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
    usage: { ...usage, days: Object.fromEntries(days.slice(-KEPT_DAYS)) },
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

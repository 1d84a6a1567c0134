import type { KeyedLock } from "../store/keyed-lock.ts";
import { inWords } from "../model/images.ts";
import { type Conversation, type History, isInvalidRecord } from "./conversation.ts";
import { type ChatEvent, conversationKey, partsOfKey } from "../event.ts";
import type { Store } from "../store/store.ts";

/** Lists and manages the conversations on one platform. */
export interface Threads {
  /** Lists the users with conversations, most recently active first. */
  users(): Promise<ThreadUser[]>;
  /** Lists a user's conversations that have messages, most recently active first. */
  of(user: string): Promise<Thread[]>;
  /** Loads the record with this key, or creates an empty one. */
  load(key: string): Promise<Conversation>;
  /** Sets the title of a conversation; an empty title removes it. */
  rename(key: string, title: string): Promise<void>;
  /** Deletes the messages of a conversation. Its usage is kept. */
  remove(key: string): Promise<void>;
}

/** A user with conversations. */
export interface ThreadUser {
  readonly user: string;
  /** The time of the last message, in ms since the epoch. */
  readonly at: number;
  readonly conversations: number;
}

/** A conversation in a list. */
export interface Thread {
  readonly key: string;
  readonly user: string;
  /** Absent for the default conversation. */
  readonly thread?: string;
  /** Its title, or the beginning of its first message. */
  readonly title: string;
  /** The time of the last message, in ms since the epoch. */
  readonly at: number;
  readonly messages: number;
}

/** The maximum length of a title, in grapheme clusters. */
const MAX_TITLE = 60;

const graphemes = new Intl.Segmenter();

export interface ThreadsOptions {
  readonly store: Store;
  readonly history: History;
  readonly platform: string;
  /** Keeps other processes from changing a record at the same time. */
  readonly lock: KeyedLock;
}

/** Creates the list of conversations in the direct chats of one platform. */
export function createThreads({ store, history, platform, lock }: ThreadsOptions): Threads {
  return {
    users: async () => {
      const users = new Map<string, ThreadUser>();
      for (const { user, at } of await list()) {
        const known = users.get(user);
        users.set(user, { user, at: known?.at ?? at, conversations: (known?.conversations ?? 0) + 1 });
      }
      return [...users.values()];
    },
    of: list,
    load: (key) => history.load(key),
    rename: (key, title) =>
      change(key, (conversation) => ({ ...conversation, title: clip(title) || undefined })),
    remove: (key) =>
      change(key, (conversation) => ({
        ...conversation,
        messages: [],
        summary: undefined,
        title: undefined,
        persona: undefined,
        system: undefined,
        model: undefined,
      })),
  };

  /** Lists the conversations of one user, or of all. */
  async function list(user?: string): Promise<Thread[]> {
    const found = await store.keys("history", keyOf(platform, user ?? ""));
    const keys = found.filter((key) => user === undefined || partsOfKey(key)?.user === user);
    const all = await Promise.all(keys.map(async (key) => toThread(await loadIfValid(key))));
    return all.filter((thread) => thread !== undefined).sort((a, b) => b.at - a.at);
  }

  /** An invalid record does not hide the others. */
  async function loadIfValid(key: string): Promise<Conversation | undefined> {
    return history.load(key).catch((error: unknown) => {
      if (isInvalidRecord(error)) return undefined;
      throw error;
    });
  }

  async function change(key: string, edit: (conversation: Conversation) => Conversation): Promise<void> {
    const release = await lock(key);
    try {
      const conversation = await history.load(key);
      await history.save({ ...edit(conversation), revision: conversation.revision + 1 });
    } finally {
      await release();
    }
  }
}

/** Returns the key of a user's conversation in a direct chat. */
export function keyOf(platform: string, user: string, thread?: string): string {
  const chat: ChatEvent["chat"] = { id: "", kind: "direct", ...(thread !== undefined && { thread }) };
  return conversationKey({ platform, user: { id: user }, chat });
}

/** Returns undefined for conversations in groups and those without messages. */
function toThread(conversation: Conversation | undefined): Thread | undefined {
  if (!conversation) return undefined;
  const { key, title, messages } = conversation;
  const { user, chat, thread } = partsOfKey(key) ?? {};
  const last = messages.at(-1);
  if (user === undefined || chat !== undefined || !last) return undefined;
  const first = messages.find(({ role }) => role === "user") ?? last;
  return {
    key,
    user,
    ...(thread !== undefined && { thread }),
    title: title ?? clip(inWords(first)),
    at: last.at,
    messages: messages.length,
  };
}

/** Shortens a text to the length of a title, on one line. */
function clip(text: string): string {
  // The text may be very long.
  const line = text
    .slice(0, 1000)
    .replace(/[\s\p{C}]+/gu, " ")
    .trim();
  const all = Array.from(graphemes.segment(line), ({ segment }) => segment);
  return all.length > MAX_TITLE
    ? `${all
        .slice(0, MAX_TITLE - 1)
        .join("")
        .trimEnd()}…`
    : line;
}

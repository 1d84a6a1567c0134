import type { KeyedLock } from "../store/keyed-lock.ts";
import { inWords } from "../model/images.ts";
import { type Conversation, type History, isInvalidRecord } from "./conversation.ts";
import { type ChatEvent, conversationKey, partsOfKey } from "../event.ts";
import type { Store } from "../store/store.ts";

/** The conversations that people have on one platform, to be listed and looked after. */
export interface Threads {
  /** Everyone who has said something, last active first. */
  users(): Promise<ThreadUser[]>;
  /** The conversations of one person in which something was said, last active first. */
  of(user: string): Promise<Thread[]>;
  /** The record behind a key, or a new one. */
  load(key: string): Promise<Conversation>;
  /** Gives a conversation a name; an empty one takes it away. */
  rename(key: string, title: string): Promise<void>;
  /** Forgets what was said in a conversation; what it has cost stays known. */
  remove(key: string): Promise<void>;
}

/** Someone who has conversations. */
export interface ThreadUser {
  readonly user: string;
  /** When they last said something, in ms since the epoch. */
  readonly at: number;
  readonly conversations: number;
}

/** One conversation of a list. */
export interface Thread {
  readonly key: string;
  readonly user: string;
  /** Absent for the conversation that is always there. */
  readonly thread?: string;
  /** The name that it was given, else its first words. */
  readonly title: string;
  /** When something was last said, in ms since the epoch. */
  readonly at: number;
  readonly messages: number;
}

/** The longest title, in characters as people count them. */
const MAX_TITLE = 60;

const graphemes = new Intl.Segmenter();

export interface ThreadsOptions {
  readonly store: Store;
  readonly history: History;
  readonly platform: string;
  /** Nobody else changes a record meanwhile. */
  readonly alone: KeyedLock;
}

/** The conversations in direct chats of one platform. */
export function createThreads({ store, history, platform, alone }: ThreadsOptions): Threads {
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

  /** Of one person, or of all. */
  async function list(user?: string): Promise<Thread[]> {
    const found = await store.keys("history", keyOf(platform, user ?? ""));
    const keys = found.filter((key) => user === undefined || partsOfKey(key)?.user === user);
    const all = await Promise.all(keys.map(async (key) => toThread(await loadIfSound(key))));
    return all.filter((thread) => thread !== undefined).sort((a, b) => b.at - a.at);
  }

  /** One record that makes no sense hides none of the others. */
  async function loadIfSound(key: string): Promise<Conversation | undefined> {
    return history.load(key).catch((error: unknown) => {
      if (isInvalidRecord(error)) return undefined;
      throw error;
    });
  }

  async function change(key: string, to: (conversation: Conversation) => Conversation): Promise<void> {
    const release = await alone(key);
    try {
      const conversation = await history.load(key);
      await history.save({ ...to(conversation), revision: conversation.revision + 1 });
    } finally {
      await release();
    }
  }
}

/** The key of a person's conversation in a direct chat. */
export function keyOf(platform: string, user: string, thread?: string): string {
  const chat: ChatEvent["chat"] = { id: "", kind: "direct", ...(thread !== undefined && { thread }) };
  return conversationKey({ platform, user: { id: user }, chat });
}

/** Undefined for groups, and where nothing was said. */
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

/** The first words on one line. */
function clip(text: string): string {
  // What is not looked at here may be very long.
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

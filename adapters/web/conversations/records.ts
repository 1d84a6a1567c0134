import { z } from "zod";
import { type RecordStore, recordKey } from "./record-store.ts";
import {
  answerPart,
  type AnswerPart,
  type ThreadEntry,
  entry,
  type Question,
  question,
  type Turn,
} from "./updates.ts";

/**
 * What users see of their conversations, which other platforms store themselves. Questions and answers are separate
 * records: the process that receives a message writes the question, the process that answers writes the answer, and neither
 * has to read before it writes.
 */
export interface Records {
  /** The user's conversations, last active first. */
  list(user: string): Promise<ThreadEntry[]>;
  entry(user: string, thread: string): Promise<ThreadEntry | undefined>;
  saveEntry(user: string, entry: ThreadEntry): Promise<void>;
  /** The turns of a conversation, oldest first. An answer that is still being written has no `pieces` here. */
  turns(user: string, thread: string): Promise<Turn[]>;
  /** The turns of a conversation, newest first, a few at a time: a conversation may be long. */
  newest(user: string, thread: string): AsyncIterable<readonly Turn[]>;
  saveQuestion(user: string, thread: string, question: Question): Promise<void>;
  saveAnswer(turn: TurnKey, parts: readonly AnswerPart[]): Promise<void>;
  /** The images of a question, as `data:` URLs. */
  images(turn: TurnKey): Promise<readonly string[]>;
  saveImages(turn: TurnKey, images: readonly string[]): Promise<void>;
  /** Deletes the turns from `from` on and before `before`. Without `turns`, deletes the whole conversation. */
  remove(user: string, thread: string, turns?: { from: string; before: string }): Promise<void>;
  /** How much is stored of all conversations of a user. */
  stored(user: string): Promise<Stored>;
  /** Every user who has a conversation. */
  users(): Promise<string[]>;
}

/** How much is stored of a user's conversations. */
export interface Stored {
  readonly conversations: number;
  /** Questions with images. */
  readonly withImages: number;
  readonly imageBytes: number;
  /** Questions and answers together. */
  readonly textBytes: number;
}

/** Identifies a turn. */
export interface TurnKey {
  readonly user: string;
  readonly thread: string;
  readonly turn: string;
}

/** How many turns `newest` reads at once. */
const PAGE = 50;

const images = z.array(z.string());
const answer = z.array(answerPart);

/** Creates records in a record store. */
export function createRecords(store: RecordStore): Records {
  return {
    list: async (user) => {
      const found = await store.getMany(await store.keys(`${recordKey("entry", user)}:`));
      return found.flatMap((one) => entry.safeParse(one).data ?? []).sort((a, b) => b.at - a.at);
    },
    entry: async (user, thread) => entry.safeParse(await store.get(recordKey("entry", user, thread))).data,
    saveEntry: (user, one) => store.set(recordKey("entry", user, one.thread), one),
    turns: async (user, thread) => read(user, thread, await questionKeys(user, thread)),
    newest: async function* (user, thread) {
      const keys = await questionKeys(user, thread);
      for (let end = keys.length; end > 0; end -= PAGE)
        yield (await read(user, thread, keys.slice(Math.max(0, end - PAGE), end))).toReversed();
    },
    stored: async (user) => {
      const [entries, questions, answers, withImages] = await Promise.all(
        ["entry", "asked", "said", "images"].map((kind) => store.size(`${recordKey(kind, user)}:`)),
      );
      return {
        conversations: entries?.count ?? 0,
        withImages: withImages?.count ?? 0,
        imageBytes: withImages?.bytes ?? 0,
        textBytes: (questions?.bytes ?? 0) + (answers?.bytes ?? 0),
      };
    },
    saveQuestion: (user, thread, one) => store.set(recordKey("asked", user, thread, one.turn), one),
    saveAnswer: ({ user, thread, turn }, parts) => store.set(recordKey("said", user, thread, turn), parts),
    images: async ({ user, thread, turn }) =>
      images.safeParse(await store.get(recordKey("images", user, thread, turn))).data ?? [],
    saveImages: ({ user, thread, turn }, all) => store.set(recordKey("images", user, thread, turn), all),
    remove: async (user, thread, turns) => {
      // Questions go last: as long as a question exists, a later call finds what belongs to it.
      const kinds = ["images", "said", "asked"].map((kind) =>
        store.keys(`${recordKey(kind, user, thread)}:`),
      );
      const keys = (await Promise.all(kinds)).flat();
      for (const key of keys) {
        const turn = turnIn(key);
        if (!turns || (turn >= turns.from && turn < turns.before)) await store.delete(key);
      }
      if (!turns) await store.delete(recordKey("entry", user, thread));
    },
    users: async () => {
      const keys = await store.keys("entry:");
      return [...new Set(keys.map((key) => decodeURIComponent(key.split(":")[1] ?? "")))];
    },
  };

  function questionKeys(user: string, thread: string): Promise<readonly string[]> {
    return store.keys(`${recordKey("asked", user, thread)}:`);
  }

  async function read(user: string, thread: string, keys: readonly string[]): Promise<Turn[]> {
    const questions = await store.getMany(keys);
    const answerKeys = keys.map((key) => `${recordKey("said", user, thread)}:${turnIn(key)}`);
    const answers = await store.getMany(answerKeys);
    return questions.flatMap((one, index) => {
      const { data } = question.safeParse(one);
      const parts = answer.safeParse(answers[index]).data;
      return data ? { ...data, pieces: parts ?? [], done: parts !== undefined } : [];
    });
  }
}

function turnIn(key: string): string {
  return key.split(":").at(-1) ?? "";
}

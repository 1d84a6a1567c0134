import { z } from "zod";
import { type Entry, entry, type Piece, piece, type Question, question, type Turn } from "./news.ts";
import { type Shelf, shelfKey } from "./shelf.ts";

/**
 * What people see of their conversations, as any platform keeps it for its users. Questions and answers are records of
 * their own: the process that receives writes the ones, the process that answers the others, and neither reads first.
 */
export interface Records {
  /** Last active first. */
  list(user: string): Promise<Entry[]>;
  entry(user: string, thread: string): Promise<Entry | undefined>;
  saveEntry(user: string, entry: Entry): Promise<void>;
  /** Oldest first; an answer that is not whole yet has no pieces here. */
  turns(user: string, thread: string): Promise<Turn[]>;
  saveQuestion(user: string, thread: string, question: Question): Promise<void>;
  saveAnswer(place: Place, pieces: readonly Piece[]): Promise<void>;
  /** The images of a question, as `data:` URLs. */
  images(place: Place): Promise<readonly string[]>;
  saveImages(place: Place, images: readonly string[]): Promise<void>;
  /** Takes away the turns from one on, up to another; all, and the entry, without them. */
  remove(user: string, thread: string, turns?: { from: string; before: string }): Promise<void>;
  /** The same from the newest on, a few at a time: a conversation may be long. */
  newest(user: string, thread: string): AsyncIterable<readonly Turn[]>;
  /** How much is kept of all of a person's conversations. */
  kept(user: string): Promise<Kept>;
  /** Everyone who has a conversation. */
  users(): Promise<string[]>;
}

/** How much is kept of a person's conversations. */
export interface Kept {
  readonly conversations: number;
  /** Questions with images. */
  readonly withImages: number;
  readonly imageBytes: number;
  /** Of what was said on both sides. */
  readonly textBytes: number;
}

/** Which turn. */
export interface Place {
  readonly user: string;
  readonly thread: string;
  readonly turn: string;
}

/** At most this many turns are read at once where all of them could be too many. */
const PAGE = 50;

const images = z.array(z.string());
const answer = z.array(piece);

/** Records on a shelf. */
export function createRecords(shelf: Shelf): Records {
  return {
    list: async (user) => {
      const found = await shelf.getMany(await shelf.keys(`${shelfKey("entry", user)}:`));
      return found.flatMap((one) => entry.safeParse(one).data ?? []).sort((a, b) => b.at - a.at);
    },
    entry: async (user, thread) => entry.safeParse(await shelf.get(shelfKey("entry", user, thread))).data,
    saveEntry: (user, one) => shelf.set(shelfKey("entry", user, one.thread), one),
    turns: async (user, thread) => read(user, thread, await asked(user, thread)),
    newest: async function* (user, thread) {
      const keys = await asked(user, thread);
      for (let end = keys.length; end > 0; end -= PAGE)
        yield (await read(user, thread, keys.slice(Math.max(0, end - PAGE), end))).toReversed();
    },
    kept: async (user) => {
      const [entries, questions, answers, withImages] = await Promise.all(
        ["entry", "asked", "said", "images"].map((kind) => shelf.size(`${shelfKey(kind, user)}:`)),
      );
      return {
        conversations: entries?.count ?? 0,
        withImages: withImages?.count ?? 0,
        imageBytes: withImages?.bytes ?? 0,
        textBytes: (questions?.bytes ?? 0) + (answers?.bytes ?? 0),
      };
    },
    saveQuestion: (user, thread, one) => shelf.set(shelfKey("asked", user, thread, one.turn), one),
    saveAnswer: ({ user, thread, turn }, pieces) => shelf.set(shelfKey("said", user, thread, turn), pieces),
    images: async ({ user, thread, turn }) =>
      images.safeParse(await shelf.get(shelfKey("images", user, thread, turn))).data ?? [],
    saveImages: ({ user, thread, turn }, all) => shelf.set(shelfKey("images", user, thread, turn), all),
    remove: async (user, thread, turns) => {
      // A question goes last: as long as it is there, what belongs to it can be taken away another time.
      const kinds = ["images", "said", "asked"].map((kind) => shelf.keys(`${shelfKey(kind, user, thread)}:`));
      const keys = (await Promise.all(kinds)).flat();
      for (const key of keys) {
        const turn = key.split(":").at(-1) ?? "";
        if (!turns || (turn >= turns.from && turn < turns.before)) await shelf.delete(key);
      }
      if (!turns) await shelf.delete(shelfKey("entry", user, thread));
    },
    users: async () => {
      const keys = await shelf.keys("entry:");
      return [...new Set(keys.map((key) => decodeURIComponent(key.split(":")[1] ?? "")))];
    },
  };

  function asked(user: string, thread: string): Promise<readonly string[]> {
    return shelf.keys(`${shelfKey("asked", user, thread)}:`);
  }

  async function read(user: string, thread: string, keys: readonly string[]): Promise<Turn[]> {
    const names = keys.map((key) => key.split(":").at(-1) ?? "");
    const questions = await shelf.getMany(keys);
    const answers = await shelf.getMany(names.map((turn) => shelfKey("said", user, thread) + `:${turn}`));
    return questions.flatMap((one, index) => {
      const { data } = question.safeParse(one);
      const said = answer.safeParse(answers[index]).data;
      return data ? { ...data, pieces: said ?? [], done: said !== undefined } : [];
    });
  }
}

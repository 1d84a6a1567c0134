import type Keyv from "keyv";
import { z } from "zod";
import type { ChatEvent } from "../event.ts";
import { type Upgrade, upgrade } from "../store/versions.ts";
import { readEvent } from "./entry.ts";

/** An event that could not be answered however often it was tried. */
export interface DeadLetter {
  readonly event: ChatEvent;
  /** Why the last attempt failed. */
  readonly error: string;
  readonly attempts: number;
  /** When it was given up, in ms since the epoch. */
  readonly at: number;
}

/** The events that were given up. Another process may use the same list beside the queue. */
export interface DeadLetters {
  /** Resolves once stored; a letter with the same event id is replaced. */
  add(letter: DeadLetter): Promise<void>;
  /** Oldest first. */
  list(): Promise<DeadLetter[]>;
  /** Asks the program that runs, or runs next, to try it once more. False if there is no such letter. */
  retry(id: string): Promise<boolean>;
  /** The events that someone wants tried once more. */
  wanted(): Promise<ChatEvent[]>;
  /** False if there was no such letter. */
  drop(id: string): Promise<boolean>;
}

/** From each version of a letter to the next. */
const STEPS: readonly Upgrade[] = [];

/** The last moment that a `Date` can hold, in ms since the epoch. */
const LAST_MS = 8.64e15;

const letter = z.object({
  event: z.unknown(),
  error: z.string(),
  attempts: z.number(),
  at: z.int().min(0).max(LAST_MS),
});

/** The list in a store. Wishes stand apart, so that looking for them costs next to nothing. */
export async function openDeadLetters(store: {
  open(name: string, options: { flush: boolean }): Promise<Keyv>;
}): Promise<DeadLetters> {
  const letters = await store.open("dead", { flush: true });
  const wishes = await store.open("wishes", { flush: true });

  return {
    add: async (added) => {
      await letters.set(added.event.id, { version: STEPS.length + 1, ...added });
    },
    list: async () => {
      const found: DeadLetter[] = [];
      for await (const [id, value] of letters.iterator?.({}) ?? []) {
        const read = readLetter(String(id), value);
        if (read) found.push(read);
      }
      return found.sort((a, b) => a.at - b.at);
    },
    retry: async (id) => {
      if (!(await letters.get(id))) return false;
      await wishes.set(id, true);
      return true;
    },
    wanted: async () => {
      const ids: string[] = [];
      for await (const [id] of wishes.iterator?.({}) ?? []) ids.push(String(id));
      const found = await Promise.all(ids.map(async (id) => readLetter(id, await letters.get(id))));
      return found.flatMap((read) => (read ? [read.event] : []));
    },
    drop: async (id) => {
      await wishes.delete(id);
      return letters.delete(id);
    },
  };
}

function readLetter(id: string, found: unknown): DeadLetter | undefined {
  const { data } = letter.safeParse(upgrade(found, STEPS, `The dead letter ${id}`));
  const event = readEvent(data?.event);
  return data && event && { ...data, event };
}

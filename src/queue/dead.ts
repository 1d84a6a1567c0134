import type Keyv from "keyv";
import { z } from "zod";
import type { ChatEvent } from "../event.ts";
import { type Upgrade, upgrade } from "../store/versions.ts";
import { readEvent } from "./entry.ts";

/** An event that could not be answered in any of its attempts. */
export interface DeadLetter {
  readonly event: ChatEvent;
  /** Why the last attempt failed. */
  readonly error: string;
  readonly attempts: number;
  /** When it was given up, in ms since the epoch. */
  readonly at: number;
}

/** The list of dead letters. Other processes may use the list while the queue is running. */
export interface DeadLetters {
  /** Resolves when the letter is stored. It replaces a letter with the same event id. */
  add(letter: DeadLetter): Promise<void>;
  /** Lists the letters, oldest first. */
  list(): Promise<DeadLetter[]>;
  /** Requests a retry from the running program, or at its next start. Returns false if there is no such letter. */
  retry(id: string): Promise<boolean>;
  /** The events for which a retry was requested. */
  retryRequested(): Promise<ChatEvent[]>;
  /** Removes a letter. Returns false if there was no such letter. */
  drop(id: string): Promise<boolean>;
}

/** Converts a letter from each version to the next. */
const STEPS: readonly Upgrade[] = [];

/** The largest time that a `Date` can hold, in ms since the epoch. */
const LAST_MS = 8.64e15;

const letter = z.object({
  event: z.unknown(),
  error: z.string(),
  attempts: z.number(),
  at: z.int().min(0).max(LAST_MS),
});

/** Opens the list in a store. Requests for a retry are stored separately, so that checking for them is cheap. */
export async function openDeadLetters(store: {
  open(name: string, options: { flush: boolean }): Promise<Keyv>;
}): Promise<DeadLetters> {
  const letters = await store.open("dead", { flush: true });
  // Requests for a retry have this name in existing stores.
  const requests = await store.open("wishes", { flush: true });

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
      await requests.set(id, true);
      return true;
    },
    retryRequested: async () => {
      const ids: string[] = [];
      for await (const [id] of requests.iterator?.({}) ?? []) ids.push(String(id));
      const found = await Promise.all(ids.map(async (id) => readLetter(id, await letters.get(id))));
      return found.flatMap((read) => (read ? [read.event] : []));
    },
    drop: async (id) => {
      await requests.delete(id);
      return letters.delete(id);
    },
  };
}

function readLetter(id: string, found: unknown): DeadLetter | undefined {
  const { data } = letter.safeParse(upgrade(found, STEPS, `The dead letter ${id}`));
  const event = readEvent(data?.event);
  return data && event && { ...data, event };
}

import { Refused } from "./route.ts";

/** Lets each person have only a few things done at once; the rest waits, in order. */
export interface AtOnce {
  /** Rejects with a `Refused` (429) if too much waits already, otherwise as `work` does. */
  run<T>(user: string, work: () => Promise<T>): Promise<T>;
}

/** A browser asks for six things at a time; a page may have many images, each of which is loaded with those beside it. */
const MAX_AT_ONCE = 8;

/** More than the images of any conversation that somebody looks at. */
const MAX_WAITING = 1_000;

interface Line {
  running: number;
  readonly waiting: (() => void)[];
}

/** Nobody has anything done yet. */
export function createAtOnce({ mostAtOnce = MAX_AT_ONCE, mostWaiting = MAX_WAITING } = {}): AtOnce {
  const lines = new Map<string, Line>();
  return {
    run: async (user, work) => {
      const line = lines.get(user) ?? { running: 0, waiting: [] };
      lines.set(user, line);
      if (line.waiting.length >= mostWaiting)
        throw new Refused(429, "Too much is being asked at once. Please try again in a moment.", {
          retryAfterS: 1,
        });
      if (line.running >= mostAtOnce) await new Promise<void>((resolve) => line.waiting.push(resolve));
      else line.running += 1;
      try {
        return await work();
      } finally {
        const next = line.waiting.shift();
        if (next) next();
        else line.running -= 1;
        if (line.running === 0) lines.delete(user);
      }
    },
  };
}

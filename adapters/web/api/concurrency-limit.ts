import { Refused } from "../refused.ts";

/** Limits how much is done for one user at a time. Further work waits, in order. */
export interface ConcurrencyLimit {
  /** Runs `work` and settles as it does. Rejects with a `Refused` (429) if too much is waiting already. */
  run<T>(user: string, work: () => Promise<T>): Promise<T>;
}

/** A browser sends six requests at a time. A page may have many images, and loading one reads those beside it. */
const MAX_CONCURRENT = 8;

/** More than the images of any conversation that a user opens. */
const MAX_WAITING = 1_000;

interface UserQueue {
  running: number;
  readonly waiting: (() => void)[];
}

/** Creates a limit that applies to each user separately. */
export function createConcurrencyLimit({
  maxConcurrent = MAX_CONCURRENT,
  maxWaiting = MAX_WAITING,
} = {}): ConcurrencyLimit {
  const queues = new Map<string, UserQueue>();
  return {
    run: async (user, work) => {
      const queue = queues.get(user) ?? { running: 0, waiting: [] };
      queues.set(user, queue);
      if (queue.waiting.length >= maxWaiting)
        throw new Refused(429, "Too many requests at once. Please try again in a moment.", {
          retryAfterS: 1,
        });
      if (queue.running >= maxConcurrent) await new Promise<void>((resolve) => queue.waiting.push(resolve));
      else queue.running += 1;
      try {
        return await work();
      } finally {
        const next = queue.waiting.shift();
        if (next) next();
        else queue.running -= 1;
        if (queue.running === 0) queues.delete(user);
      }
    },
  };
}

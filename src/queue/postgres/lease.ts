import { setTimeout as sleep } from "node:timers/promises";
import { describeError } from "../../errors.ts";
import { type Crew, type CrewOptions, hireCrew } from "./worker-pool.ts";

/** The work of this process on the queue, whichever crew does it. */
export interface Shift {
  /** Somebody has stopped all in a conversation before this number. */
  interrupt(conversation: string, before: number): void;
  /** Somebody may have stopped something, unheard. */
  catchUp(): void;
  /** Lets what is running end for a while, and leaves the rest. */
  end(): Promise<void>;
}

/** How often it is looked whether there is a crew and the database knows that it lives, in ms, at most. */
const LOOK_EVERY_MS = 500;

/** Keeps a crew at work: one that may count as dead is given up, and another hired. */
export function beginShift(options: CrewOptions): Shift {
  const { log, goneMs } = options;
  const ending = new AbortController();
  let crew: Crew | undefined;
  const watching = watch();

  return {
    interrupt: (conversation, before) => crew?.interrupt(conversation, before),
    catchUp: () => void crew?.catchUp(),
    end: async () => {
      ending.abort();
      await watching;
      await crew?.end();
    },
  };

  async function watch(): Promise<void> {
    while (!ending.signal.aborted) {
      if (crew?.isLost()) {
        log.warn("the database was out of reach for too long: what was being answered is taken up anew");
        crew.giveUp();
        crew = undefined;
      }
      crew ??= await hire();
      const everyMs = Math.min(LOOK_EVERY_MS, goneMs / 8);
      await sleep(everyMs, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  }

  async function hire(): Promise<Crew | undefined> {
    try {
      return await hireCrew(options);
    } catch (error) {
      log.warn(`the queue cannot be worked on: ${describeError(error)}`);
      return undefined;
    }
  }
}

import { setTimeout as sleep } from "node:timers/promises";
import { describeError } from "../../errors.ts";
import { startWorkerPool, type WorkerPool, type WorkerPoolOptions } from "./worker-pool.ts";

/** This process's part in the work on the queue. It survives the worker pools that do the work. */
export interface Lease {
  /** The user has stopped all events of a conversation before this number. */
  interrupt(conversation: string, before: number): void;
  /** Interrupts events whose interruption was not received. */
  catchUp(): void;
  /** Gives running work some time to end and gives the rest back. */
  end(): Promise<void>;
}

/** How often to check that the database knows the worker pool to be alive, in ms, at most. */
const MAX_CHECK_EVERY_MS = 500;

/**
 * Keeps a worker pool running. A pool that the database may consider dead is given up before other processes take over
 * its work, and a new one is started.
 */
export function holdLease(options: WorkerPoolOptions): Lease {
  const { log, goneMs } = options;
  const ending = new AbortController();
  let pool: WorkerPool | undefined;
  const checking = checkRegularly();

  return {
    interrupt: (conversation, before) => pool?.interrupt(conversation, before),
    catchUp: () => void pool?.catchUp(),
    end: async () => {
      ending.abort();
      await checking;
      await pool?.end();
    },
  };

  async function checkRegularly(): Promise<void> {
    while (!ending.signal.aborted) {
      if (pool?.isLost()) {
        log.warn("the database was unreachable for too long: running answers were given up and start again");
        pool.giveUp();
        pool = undefined;
      }
      pool ??= await start();
      const everyMs = Math.min(MAX_CHECK_EVERY_MS, goneMs / 8);
      await sleep(everyMs, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  }

  async function start(): Promise<WorkerPool | undefined> {
    try {
      return await startWorkerPool(options);
    } catch (error) {
      log.warn(`could not start processing the queue, retrying: ${describeError(error)}`);
      return undefined;
    }
  }
}

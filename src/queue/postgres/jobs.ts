import { EventEmitter } from "node:events";
import { Logger, run, type WorkerEvents } from "graphile-worker";
import type { Log } from "../../log.ts";
import type { Postgres } from "../../postgres/pool.ts";
import { TASK } from "./inbox.ts";

export interface JobsOptions {
  readonly db: Postgres;
  /** So many conversations are worked on at once. */
  readonly places: number;
  /** How often it is looked for conversations whose time has come, in ms; of new events it is told. */
  readonly pollMs: number;
  /** Works on a conversation; whenever it has resolved or rejected, the conversation is free for others. */
  readonly work: (conversation: string) => Promise<void>;
  readonly log: Log;
}

/** The conversations that this process has taken on. */
export interface Jobs {
  /** Under this name the database knows who has them. */
  readonly id: string;
  /** Takes on no more; resolves when all are free again. */
  stop(): Promise<void>;
  /** Leaves all as they are, and writes nothing more. */
  abandon(): void;
}

/** One listens, one takes on, one frees. */
const CONNECTIONS = 3;

/**
 * Takes on conversations, by graphile-worker. All places share one look into the database: each for itself would lock the
 * names of all free conversations, and be in the way of the others. What was fetched and finds no place is free for
 * other processes after `pollMs`.
 */
export async function startJobs({ db, places, pollMs, work, log }: JobsOptions): Promise<Jobs> {
  const events = new EventEmitter() as WorkerEvents;
  let id = "";
  let begun = false;
  events.on("pool:create", ({ workerPool }) => {
    id = workerPool.id;
  });
  const spare = db.openSeparatePool(CONNECTIONS);
  const runner = await run({
    pgPool: spare.pool,
    events,
    noHandleSignals: true,
    // Before it begins it finds fault with the size of the pool only; should it fail, it rejects.
    logger: loggerOf(log, () => begun),
    taskList: { [TASK]: async (payload) => work(conversationOf(payload)) },
    preset: {
      worker: {
        concurrentJobs: places,
        pollInterval: pollMs,
        localQueue: { size: places, ttl: pollMs },
        // What has failed to be written is tried again, and waits for nothing else.
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
      },
    },
  });
  begun = true;
  // Whoever stops it hears of it too.
  runner.promise.catch(() => undefined);
  return {
    id,
    stop: async () => {
      await runner.stop();
      await spare.end();
    },
    abandon: () => {
      runner.stop().catch(() => undefined);
      // It ends jobs by their number alone, and tries that time and again: by then they may be others'.
      void spare.end();
    },
  };
}

function conversationOf(payload: unknown): string {
  const { conversation } = payload as { conversation: string };
  return conversation;
}

/** The levels that are worth a line. */
const WRONG: ReadonlySet<string> = new Set(["error", "warning"]);

/** Only what is wrong: of each conversation that was worked on the engine tells. */
function loggerOf(log: Log, isOn: () => boolean): Logger {
  return new Logger(() => (level, message) => {
    if (isOn() && WRONG.has(level)) log.warn(`the queue's workers: ${message}`);
  });
}

import { EventEmitter } from "node:events";
import { Logger, run, type WorkerEvents } from "graphile-worker";
import type { Log } from "../log.ts";
import type { Postgres } from "../postgres/pool.ts";
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
}

/**
 * Takes on conversations, by graphile-worker. All places share one look into the database: each for itself would lock the
 * names of all free conversations, and be in the way of the others. What was fetched and finds no place is free for
 * other processes after `pollMs`.
 */
export async function startJobs({ db, places, pollMs, work, log }: JobsOptions): Promise<Jobs> {
  const events = new EventEmitter() as WorkerEvents;
  let id = "";
  events.on("pool:create", ({ workerPool }) => {
    id = workerPool.id;
  });
  const runner = await run({
    pgPool: db.pool,
    events,
    noHandleSignals: true,
    logger: loggerOf(log),
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
  // Whoever stops it hears of it too.
  runner.promise.catch(() => undefined);
  return { id, stop: () => runner.stop() };
}

function conversationOf(payload: unknown): string {
  const { conversation } = payload as { conversation: string };
  return conversation;
}

/** The levels that are worth a line. */
const WRONG: ReadonlySet<string> = new Set(["error", "warning"]);

/** Only what is wrong: of each conversation that was worked on the engine tells. */
function loggerOf(log: Log): Logger {
  return new Logger(() => (level, message) => {
    if (WRONG.has(level)) log.warn(`the queue's workers: ${message}`);
  });
}

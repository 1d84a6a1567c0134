import { EventEmitter } from "node:events";
import { Logger, run, type WorkerEvents } from "graphile-worker";
import type { Log } from "../../log.ts";
import type { Postgres } from "../../postgres/pool.ts";
import { TASK } from "./statements.ts";

export interface JobsOptions {
  readonly db: Postgres;
  /** The maximum number of conversations that are processed at once. */
  readonly concurrency: number;
  /** How often to check for conversations that are due, in ms. New events are noticed at once. */
  readonly pollMs: number;
  /** Processes a conversation. When the promise settles, other processes may take the conversation. */
  readonly work: (conversation: string) => Promise<void>;
  readonly log: Log;
}

/** The conversations that this process has taken. */
export interface Jobs {
  /** The name of this process in the database's table of jobs. */
  readonly id: string;
  /** Takes no more conversations; resolves when all are released. */
  stop(): Promise<void>;
  /** Leaves all conversations as they are and writes nothing more. */
  abandon(): void;
}

/** One connection listens, one takes jobs, and one releases them. */
const CONNECTIONS = 3;

/**
 * Takes conversations with graphile-worker. One query fetches jobs for all workers of this process: separate queries would
 * lock the names of all free conversations and block each other. A job that was fetched but finds no free worker is
 * returned to other processes after `pollMs`.
 */
export async function startJobs({ db, concurrency, pollMs, work, log }: JobsOptions): Promise<Jobs> {
  const events = new EventEmitter() as WorkerEvents;
  let id = "";
  let started = false;
  events.on("pool:create", ({ workerPool }) => {
    id = workerPool.id;
  });
  const pool = db.openSeparatePool(CONNECTIONS);
  const runner = await run({
    pgPool: pool.pool,
    events,
    noHandleSignals: true,
    // Before it has started, it only warns about the size of the pool. A failure to start rejects.
    logger: loggerOf(log, () => started),
    taskList: { [TASK]: async (payload) => work(conversationOf(payload)) },
    preset: {
      worker: {
        concurrentJobs: concurrency,
        pollInterval: pollMs,
        localQueue: { size: concurrency, ttl: pollMs },
        // graphile-worker retries a failed write only if it batches writes; a delay of 0 adds no waiting.
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
      },
    },
  });
  started = true;
  // `stop()` rejects with the same error.
  runner.promise.catch(() => undefined);
  return {
    id,
    stop: async () => {
      await runner.stop();
      await pool.end();
    },
    abandon: () => {
      runner.stop().catch(() => undefined);
      // It would keep trying to complete jobs by their number, and by then other processes may have them.
      void pool.end();
    },
  };
}

function conversationOf(payload: unknown): string {
  const { conversation } = payload as { conversation: string };
  return conversation;
}

/** The levels that are logged. */
const LOGGED: ReadonlySet<string> = new Set(["error", "warning"]);

/** Logs warnings and errors only; the engine logs the conversations that are processed. */
function loggerOf(log: Log, hasStarted: () => boolean): Logger {
  return new Logger(() => (level, message) => {
    if (hasStarted() && LOGGED.has(level)) log.warn(`graphile-worker: ${message}`);
  });
}

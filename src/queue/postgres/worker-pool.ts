import { setTimeout as sleep } from "node:timers/promises";
import { describeError, Requeued } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { Postgres } from "../../postgres/pool.ts";
import type { ClusterSession } from "../../postgres/session.ts";
import type { DeadLetters } from "../dead.ts";
import type { Worker } from "../queue.ts";
import { WORKERS } from "../retry-policy.ts";
import { createAttempts, interrupt, type JobInProgress } from "./attempts.ts";
import type { Inbox } from "./inbox.ts";
import { startJobs } from "./jobs.ts";

export interface WorkerPoolOptions {
  readonly db: Postgres;
  readonly session: ClusterSession;
  readonly inbox: Inbox;
  readonly dead: DeadLetters;
  readonly worker: Worker;
  /** The maximum number of conversations that are processed at once. */
  readonly atOnce: number;
  /** How long `end()` lets running work continue, in ms. */
  readonly graceMs: number;
  /** The pause after the first failure, in ms. */
  readonly pauseMs: number;
  /** How often to check for conversations that are due, in ms. */
  readonly pollMs: number;
  /** How long a worker pool may be without a connection before it counts as dead, in ms. */
  readonly goneMs: number;
  readonly log: Log;
}

/** Processes conversations, as long as the database knows that the pool is alive. */
export interface WorkerPool {
  /** The user has stopped all events of a conversation before this number. */
  interrupt(conversation: string, before: number): void;
  /** Interrupts events whose interruption was not received. */
  catchUp(): Promise<void>;
  /** Whether other processes will soon take over what this pool is processing. */
  isLost(): boolean;
  /** Abandons all work at once and writes nothing more. */
  giveUp(): void;
  /** Gives running work some time to end and gives the rest back. */
  end(): Promise<void>;
}

/** How much longer than the grace period `end()` waits for the database, in ms. */
const END_TIMEOUT_MS = 2_000;

/** Starts a worker pool. */
export async function startWorkerPool(options: WorkerPoolOptions): Promise<WorkerPool> {
  const { db, session, inbox, dead, worker, pauseMs, pollMs, goneMs, log } = options;
  /** By conversation. */
  const inProgress = new Map<string, JobInProgress>();
  let stopping = false;
  let givenUp = false;
  let requeueing = false;
  let lostSince: number | undefined;
  const isStopping = () => stopping;
  const attempts = createAttempts({ inbox, dead, worker, persist, isStopping, pauseMs, log });
  const jobs = await startJobs({ db, concurrency: options.atOnce, pollMs, work: workOn, log });
  const lock = session.lock({ group: WORKERS, name: jobs.id });

  return {
    interrupt: (conversation, before) => {
      const job = inProgress.get(conversation);
      if (!job) return;
      job.stoppedBefore = Math.max(job.stoppedBefore, before);
      if (job.number < before) interrupt(job);
    },
    catchUp: async () => {
      const numbers = [...inProgress.values()].map(({ number }) => number).filter((number) => number > 0);
      const interrupted = await inbox.interrupted(numbers).catch((): number[] => []);
      for (const job of inProgress.values()) if (interrupted.includes(job.number)) interrupt(job);
    },
    isLost: () => {
      if (lock.held && session.alive()) lostSince = undefined;
      else lostSince ??= Date.now();
      // Before other processes take over.
      return lostSince !== undefined && Date.now() - lostSince > goneMs * 0.6;
    },
    giveUp: () => {
      // Other processes may have taken over. Nothing is written any more, not even that an event is answered.
      givenUp = true;
      for (const { requeue } of inProgress.values())
        requeue.abort(new Requeued("the database was unreachable"));
      jobs.abandon();
      void lock.release();
    },
    end: async () => {
      stopping = true;
      const deadline = setTimeout(() => {
        requeueing = true;
        for (const { requeue } of inProgress.values()) requeue.abort(new Requeued("the program is stopping"));
      }, options.graceMs);
      const stopped = new AbortController();
      await Promise.race([
        jobs.stop().catch(() => undefined),
        sleep(options.graceMs + END_TIMEOUT_MS, undefined, { signal: stopped.signal }).catch(() => undefined),
      ]);
      stopped.abort();
      clearTimeout(deadline);
      await lock.release();
    },
  };

  /** Processes the events of a conversation one after the other, until none is left or one must be tried again later. */
  async function workOn(conversation: string): Promise<void> {
    const job: JobInProgress = {
      requeue: new AbortController(),
      interrupt: new AbortController(),
      number: 0,
      stoppedBefore: 0,
    };
    inProgress.set(conversation, job);
    if (requeueing) job.requeue.abort(new Requeued("the program is stopping"));
    try {
      for (let mayContinue = true; mayContinue; ) {
        if (stopping) return await persist(() => inbox.wake(conversation));
        const taken = await persist(() => inbox.take(conversation));
        if (!taken) return;
        mayContinue = await attempts.run(taken, job);
      }
    } finally {
      inProgress.delete(conversation);
      if (givenUp) await never();
    }
  }

  /** Repeats a write until it succeeds: without the database there is nothing else to do. */
  async function persist<T>(write: () => Promise<T>): Promise<T> {
    for (;;) {
      if (givenUp) return never();
      try {
        return await write();
      } catch (error) {
        if (requeueing) throw error;
        log.warn(`could not write to the queue, retrying: ${describeError(error)}`);
        await sleep(pauseMs);
      }
    }
  }
}

/** A promise that never settles. The code that waits for it is garbage-collected together with it. */
function never(): Promise<never> {
  return new Promise(() => undefined);
}

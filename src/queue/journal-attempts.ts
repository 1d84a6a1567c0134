import type Keyv from "keyv";
import type { Log } from "../log.ts";
import { markStage } from "../telemetry/stages.ts";
import type { Job } from "./backlogs.ts";
import type { DeadLetters } from "./dead.ts";
import { writeEntry } from "./entry.ts";
import { bury, PROCESS_DIED } from "./failures.ts";
import type { PoisonGuard } from "./poison.ts";
import { MAX_ATTEMPTS, type Worker } from "./queue.ts";
import { isTransient, reasonOf, SURVIVED_MS } from "./retry-policy.ts";
import type { RunningEvents } from "./running.ts";

export interface AttemptsOptions {
  readonly keyv: Keyv;
  readonly dead: DeadLetters;
  readonly running: RunningEvents;
  readonly guard: PoisonGuard<Job>;
  readonly log: Log;
}

/** Processes the jobs of a journal and counts their attempts. */
export interface Attempts {
  /** Resolves when the event has left the queue; rejects if it may be tried again. */
  run(job: Job, worker: Worker): Promise<void>;
}

/** Creates the attempts of one journal. */
export function createAttempts({ keyv, dead, running, guard, log }: AttemptsOptions): Attempts {
  return {
    run: async (job, worker) => {
      const { event } = job;
      if (job.attempts >= MAX_ATTEMPTS || !(await attempt(job, worker))) {
        const { attempts, error = PROCESS_DIED } = job;
        const { giveUp } = worker;
        await bury({ event, error, attempts }, { dead, giveUp, requeued: job.requeue.signal, log });
      }
      await keyv.delete(event.id);
      markStage("dropped", event);
    },
  };

  /** Returns whether the job is done; false after the last attempt. Rejects if it may be tried again. */
  async function attempt(job: Job, { work }: Worker): Promise<boolean> {
    const { event } = job;
    // Counted before the work begins, which may end the process. The very first attempt is not worth a write.
    const counted = job.left || job.attempts > 0;
    if (counted) await count(job, job.attempts + 1);
    job.attempts += 1;
    const survived = setTimeout(() => {
      if (counted) count(job, job.attempts - 1).catch(() => undefined);
      running.end(event.id).catch(() => undefined);
    }, SURVIVED_MS);
    try {
      await running.begin(event.id);
      guard.work(job);
      await work(event, { interrupted: job.interrupt.signal, requeued: job.requeue.signal });
      running.end(event.id).catch(() => undefined);
      return true;
    } catch (error) {
      await running.end(event.id).catch(() => undefined);
      if (isTransient(error)) {
        job.attempts -= 1;
        if (counted) await count(job, job.attempts).catch(() => undefined);
        throw error;
      }
      job.error = reasonOf(error);
      if (job.attempts < MAX_ATTEMPTS) throw error;
      log.error({ event: event.id, err: error }, `the last attempt to finish a turn failed: ${job.error}`);
      return false;
    } finally {
      clearTimeout(survived);
    }
  }

  async function count(job: Job, attempts: number): Promise<void> {
    await keyv.set(job.event.id, writeEntry({ number: job.number, event: job.event, attempts }));
  }
}

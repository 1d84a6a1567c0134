import { markStage } from "../../telemetry/stages.ts";
import { Interrupted, Requeued } from "../../errors.ts";
import type { ChatEvent } from "../../event.ts";
import type { Log } from "../../log.ts";
import type { DeadLetters } from "../dead.ts";
import { bury, logRetry, PROCESS_DIED } from "../failures.ts";
import { MAX_ATTEMPTS, type Worker } from "../queue.ts";
import { isTransient, MAX_PAUSE_MS, reasonOf, SURVIVED_MS } from "../retry-policy.ts";
import type { Inbox, TakenEvent } from "./inbox.ts";
import { createPoisonGate, deathsOf } from "./poison-gate.ts";
import { backOff } from "../../system/back-off.ts";

/** Repeats a write until it succeeds. */
export type Persist = <T>(write: () => Promise<T>) => Promise<T>;

/** A conversation that this process is working on. */
export interface JobInProgress {
  readonly requeue: AbortController;
  interrupt: AbortController;
  /** The number of the event that is being answered. */
  number: number;
  /** The user has stopped all events before this number. */
  stoppedBefore: number;
}

export interface AttemptsOptions {
  readonly inbox: Inbox;
  readonly dead: DeadLetters;
  readonly worker: Worker;
  readonly persist: Persist;
  /** Whether the worker pool is stopping. */
  readonly isStopping: () => boolean;
  /** The pause after the first failure, in ms. */
  readonly pauseMs: number;
  readonly log: Log;
}

/** Processes the events of conversations and counts their attempts. */
export interface Attempts {
  /** Processes one event and stores the outcome. Returns whether the conversation may continue with its next event. */
  run(taken: TakenEvent, job: JobInProgress): Promise<boolean>;
}

/** Creates the attempts of one worker pool. */
export function createAttempts(options: AttemptsOptions): Attempts {
  const { inbox, dead, worker, persist, pauseMs, log } = options;
  const gate = createPoisonGate((taken, deaths) => persist(() => inbox.hasSafer(taken, deaths)));

  return {
    run: async (taken, job) => {
      job.number = taken.number;
      job.interrupt = new AbortController();
      if (taken.interrupted || taken.number < job.stoppedBefore) interrupt(job);
      if (!(await gate.tryBegin(taken))) {
        const attempts = taken.attempts - 1;
        await persist(() => inbox.giveBack(taken, { attempts, pauseMs, failed: false }));
        return false;
      }
      try {
        return await process(taken, job);
      } catch (error) {
        await retryLater(taken, error);
        return false;
      } finally {
        gate.end(taken);
      }
    },
  };

  async function process(taken: TakenEvent, job: JobInProgress): Promise<boolean> {
    if (deathsOf(taken) > 0) await persist(() => inbox.count(taken, taken.attempts));
    const event = taken.event();
    if (!event) {
      log.error({ event: taken.id }, "an event in the queue is invalid and was set aside");
      await persist(() => inbox.setAside(taken));
      return true;
    }
    await attempt(event, taken, job);
    await persist(() => inbox.remove(taken));
    markStage("dropped", event);
    return true;
  }

  /** Resolves when the event is answered or given up; rejects if it may be tried again. */
  async function attempt(event: ChatEvent, taken: TakenEvent, job: JobInProgress): Promise<void> {
    const { signal: requeued } = job.requeue;
    const burial = { dead, giveUp: worker.giveUp, requeued, log };
    if (taken.attempts > MAX_ATTEMPTS)
      return bury({ event, error: PROCESS_DIED, attempts: MAX_ATTEMPTS }, burial);
    const survived = setTimeout(() => {
      inbox.count(taken, taken.attempts - 1).catch(() => undefined);
    }, SURVIVED_MS);
    try {
      await worker.work(event, { interrupted: job.interrupt.signal, requeued });
    } catch (error) {
      if (isTransient(error) || taken.attempts < MAX_ATTEMPTS) throw error;
      const reason = reasonOf(error);
      log.error({ event: event.id, err: error }, `the last attempt to finish a turn failed: ${reason}`);
      await bury({ event, error: reason, attempts: taken.attempts }, burial);
    } finally {
      clearTimeout(survived);
    }
  }

  async function retryLater(taken: TakenEvent, error: unknown): Promise<void> {
    const { id, conversation, failures } = taken;
    const attempts = isTransient(error) ? taken.attempts - 1 : taken.attempts;
    const isLeaving = options.isStopping() && error instanceof Requeued;
    const retryMs = isLeaving ? 0 : backOff(failures + 1, { firstMs: pauseMs, maxMs: MAX_PAUSE_MS });
    if (!(error instanceof Requeued))
      logRetry(log, { event: id, conversation, attempts, pauseMs: retryMs }, error);
    await persist(() => inbox.giveBack(taken, { attempts, pauseMs: retryMs, failed: true }));
  }
}

/** Ends the answer to the event that is being processed. */
export function interrupt(job: JobInProgress): void {
  job.interrupt.abort(new Interrupted("stopped by the user"));
}

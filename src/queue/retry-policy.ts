import { describeError, Requeued, PlatformError, StoreError } from "../errors.ts";

// The rules that all queues follow when the work on an event fails.

/**
 * An event with which this many processes have died runs without any other such event, so that a poison message does not
 * take others down with it again.
 */
export const POISON_AFTER = 4;

/** How many events may run at once if this many processes have died with each of them: 64, 16, 4 and 1. */
export function concurrencyAfter(deaths: number): number {
  return deaths === 0 ? Number.POSITIVE_INFINITY : 4 ** Math.max(0, POISON_AFTER - deaths);
}

/**
 * An event counts as proven when it has run for this long, in ms, or has ended: it did not end the process at once. As
 * many new events may begin as are proven. `clean` is for events with which no process has died, `poison` for the others.
 * On a busy machine, an event that ends the process in its first step may need a second to do so.
 */
export const PROVEN_MS = { clean: 25, poison: 2_000 };

/** If a process has run this long with an event, in ms, the event is not what ends it. */
export const SURVIVED_MS = 10_000;

/** The group of the locks of the processes that share a queue. A worker without its lock is dead. */
export const WORKERS = "workers";

/** The length of the reason in a dead letter, in characters; operators read it. */
const MAX_REASON = 500;

/** Whether a failure says nothing about the event: any other event would have failed as well. */
export function isTransient(error: unknown): boolean {
  return (
    error instanceof Requeued ||
    error instanceof StoreError ||
    (error instanceof PlatformError && !error.permanent)
  );
}

/** The longest pause between two attempts of a turn, in ms. */
export const MAX_PAUSE_MS = 60_000;

/** The reason in a dead letter. */
export function reasonOf(error: unknown): string {
  return describeError(error).slice(0, MAX_REASON);
}

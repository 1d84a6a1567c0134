import { describeError, Requeued, PlatformError, StoreError } from "../errors.ts";

/** What all queues hold to when work on an event does not end well. */

/**
 * An event that processes have died with this often is worked on alone among its like: the one that is to blame takes
 * the others no further down with it.
 */
export const SUSPECT_AFTER = 4;

/** How many events that processes have died with this often may run at once: 64, 16, 4 and 1. */
export function suspectsAtOnce(deaths: number): number {
  return deaths === 0 ? Number.POSITIVE_INFINITY : 4 ** Math.max(0, SUSPECT_AFTER - deaths);
}

/**
 * What has been worked on for this long has not ended the process at once, in ms: of those that no process has died with,
 * and of the others. As many may begin as have come that far, or have ended. On a busy machine even what ends the process
 * in its first step may need a second to get there.
 */
export const PROVEN_MS = { clean: 25, suspect: 2_000 };

/** A process that has lived so long with an event, in ms, does not die of it: something else ended it. */
export const SURVIVED_MS = 10_000;

/** The locks of those who work on conversations, where processes share a queue: a worker without one is dead. */
export const WORKERS = "workers";

/** Letters are for the eyes of people. */
const MAX_REASON = 500;

/** What another event would meet as well. */
export function isTransient(error: unknown): boolean {
  return (
    error instanceof Requeued ||
    error instanceof StoreError ||
    (error instanceof PlatformError && !error.permanent)
  );
}

/** How long to wait after so many failures, in ms: twice as long each time, up to a minute, and never all at once. */
export function pauseAfter(failures: number, firstMs: number): number {
  return Math.min(60_000, firstMs * 2 ** Math.min(failures, 30)) * (0.75 + Math.random() / 2);
}

/** The reason of a dead letter. */
export function reasonOf(error: unknown): string {
  return describeError(error).slice(0, MAX_REASON);
}

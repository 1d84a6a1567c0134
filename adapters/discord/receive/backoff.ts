import { setTimeout as pause } from "node:timers/promises";

/** Waits between connection attempts grow from `first` to `last`, in ms. */
const BACKOFF_MS = { first: 1000, last: 60_000 };
/** A connection that lasted this long resets the backoff, in ms. */
const STABLE_MS = 60_000;

/** The waits between the connection attempts of one shard. */
export interface Backoff {
  /** How many attempts failed in a row. */
  attempts(): number;
  reset(): void;
  /** Reports that the connection is up. */
  up(): void;
  /** Waits before the next attempt; resolves early if the signal aborts. */
  pause(signal: AbortSignal): Promise<void>;
}

/**
 * Creates a backoff. A connection that breaks soon after it came up counts as a failed attempt: otherwise a gateway that
 * accepts the bot and then drops it would use up the 1000 IDENTIFYs of the day.
 */
export function createBackoff(): Backoff {
  let attempts = 0;
  let upSince: number | undefined;
  return {
    attempts: () => attempts,
    reset: () => {
      attempts = 0;
    },
    up: () => {
      upSince = Date.now();
    },
    pause: async (signal) => {
      if (upSince !== undefined && Date.now() - upSince > STABLE_MS) attempts = 0;
      upSince = undefined;
      const wait = waitAfter(attempts);
      attempts += 1;
      await pause(wait, undefined, { signal }).catch(() => {});
    },
  };
}

/** How long to wait after this many earlier failures, in ms. */
export function waitAfter(failures: number): number {
  const wait = Math.min(BACKOFF_MS.first * 2 ** failures, BACKOFF_MS.last);
  // Jitter keeps many bots from reconnecting in the same second.
  return wait * (0.5 + Math.random() / 2);
}

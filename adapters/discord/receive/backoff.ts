import { setTimeout as pause } from "node:timers/promises";
import { type BackOff, backOff } from "../../../src/system/back-off.ts";

/** The pauses between connection attempts. */
const BACK_OFF: BackOff = { firstMs: 1000, maxMs: 60_000 };
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
  return backOff(failures + 1, BACK_OFF);
}

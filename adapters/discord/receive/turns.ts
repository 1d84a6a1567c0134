import { setTimeout as pause } from "node:timers/promises";
import type { IIdentifyThrottler } from "discord.js";

/** Within this time Discord accepts `max_concurrency` new sessions (API docs, "Rate Limiting" of sharding), in ms. */
const WINDOW_MS = 5000;
/** Extra wait, in ms: Discord's window begins a little after ours, and other processes wait for it too. */
const EXTRA_MS = { min: 250, max: 1250 };

/**
 * Makes the shards of one process open sessions in turn. It does not know about other processes: if two identify at once,
 * Discord answers the later one with "invalid session", and that one waits and tries again.
 */
export function createTurns(): (maxConcurrency: number) => IIdentifyThrottler {
  const freeAt = new Map<number, number>();
  return (maxConcurrency) => ({
    waitForIdentify: async (shard, signal) => {
      const key = shard % maxConcurrency;
      // The library's own throttler ignores the signal while it waits, so that one connection could identify twice.
      for (let wait = waitUntil(freeAt.get(key)); wait > 0; wait = waitUntil(freeAt.get(key)))
        await pause(wait + extraWait(), undefined, { signal });
      freeAt.set(key, Date.now() + WINDOW_MS);
    },
  });
}

function waitUntil(time = 0): number {
  return time - Date.now();
}

function extraWait(): number {
  return EXTRA_MS.min + Math.random() * (EXTRA_MS.max - EXTRA_MS.min);
}

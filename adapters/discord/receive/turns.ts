import { setTimeout as pause } from "node:timers/promises";
import type { IIdentifyThrottler } from "discord.js";

/** `max_concurrency` sessions may be opened in this time (Discord API docs, "Rate Limiting" of sharding), in ms. */
const WINDOW_MS = 5000;
/** Discord's window begins a little later than ours, and other processes wait for it too, in ms. */
const LATER_MS = { least: 250, most: 1250 };

/**
 * Lets the shards of one process open sessions in turn. Other processes are not seen: who comes too early is told
 * that its session is invalid, waits and tries again.
 */
export function createTurns(): (maxConcurrency: number) => IIdentifyThrottler {
  const free = new Map<number, number>();
  return (maxConcurrency) => ({
    waitForIdentify: async (shard, signal) => {
      const key = shard % maxConcurrency;
      // The library's own does not heed the signal while it waits: then one connection would identify twice.
      for (let wait = waitFor(free.get(key)); wait > 0; wait = waitFor(free.get(key)))
        await pause(wait + later(), undefined, { signal });
      free.set(key, Date.now() + WINDOW_MS);
    },
  });
}

function waitFor(time = 0): number {
  return time - Date.now();
}

function later(): number {
  return LATER_MS.least + Math.random() * (LATER_MS.most - LATER_MS.least);
}

import { setTimeout as sleep } from "node:timers/promises";
import { describeError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Store } from "./store.ts";

/** Knows whether a store works right now. */
export interface StoreHealth {
  /** What is wrong, as a sentence for the operator; undefined if nothing is. */
  problem(): string | undefined;
  stop(): Promise<void>;
}

/** How often the store is tried, in ms. */
const CHECK_EVERY_MS = 5_000;

/** Whoever waits so long for one write, in ms, would not call the store working. */
const SLOW_WRITE_MS = 5_000;

/** So long the end waits for a check that runs, in ms. */
const STOP_TIMEOUT_MS = 2_000;

/** Writes to the store from time to time: silence is no proof that it works, nor is the last failure that it does not. */
export function watchStoreHealth(store: Pick<Store, "check">, log: Log): StoreHealth {
  let failed: string | undefined;
  let since: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let checked = look();

  async function look(): Promise<void> {
    since = Date.now();
    const found = await store.check().then(() => undefined, describeError);
    since = undefined;
    if (stopped) return;
    if (found && found !== failed) log.error(found);
    if (failed && !found) log.info("the store works again");
    failed = found;
    timer = setTimeout(() => {
      checked = look();
    }, CHECK_EVERY_MS).unref();
  }

  return {
    problem: () => {
      const waitedMs = since === undefined ? 0 : Date.now() - since;
      if (waitedMs < SLOW_WRITE_MS) return failed;
      return failed ?? `The store has not answered for ${Math.round(waitedMs / 1000)} s`;
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      return Promise.race([checked, sleep(STOP_TIMEOUT_MS, undefined, { ref: false })]);
    },
  };
}

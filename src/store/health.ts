import { setTimeout as sleep } from "node:timers/promises";
import { describeError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Store } from "./store.ts";

/** Tells whether a store works right now. */
export interface StoreHealth {
  /** A sentence for the operator; undefined if the store works. */
  problem(): string | undefined;
  stop(): Promise<void>;
}

/** How often to check the store, in ms. */
const CHECK_EVERY_MS = 5_000;

/** A store that takes longer than this for one write, in ms, counts as broken. */
const SLOW_WRITE_MS = 5_000;

/** How long `stop()` waits for a running check, in ms. */
const STOP_TIMEOUT_MS = 2_000;

/**
 * Checks the store regularly with a write of its own: an idle store may be broken, and one that failed a while ago may
 * work again.
 */
export function watchStoreHealth(store: Pick<Store, "check">, log: Log): StoreHealth {
  let failed: string | undefined;
  let since: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let checking = check();

  async function check(): Promise<void> {
    since = Date.now();
    const found = await store.check().then(() => undefined, describeError);
    since = undefined;
    if (stopped) return;
    if (found && found !== failed) log.error(found);
    if (failed && !found) log.info("the store works again");
    failed = found;
    timer = setTimeout(() => {
      checking = check();
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
      return Promise.race([checking, sleep(STOP_TIMEOUT_MS, undefined, { ref: false })]);
    },
  };
}

import { concurrencyAfter, PROVEN_MS, SURVIVED_MS } from "./retry-policy.ts";
import { type BackOff, backOff } from "../system/back-off.ts";

/** An event that an earlier run has left in the queue. It may be what ended that run. */
export interface Leftover {
  /** How many processes have died with it, as far as is known. */
  readonly deaths: number;
  /** Its position in the order in which events were begun; -1 if it was not begun. */
  readonly begun: number;
}

/**
 * Decides when leftover events begin, so that a poison message does not prevent the others from being answered.
 *
 * Events with fewer deaths begin first, and among those the ones that were begun first, because a process mostly dies of
 * what it began last. Each group starts one at a time and speeds up quickly: an event that ends the process at once is
 * found before the others have begun.
 */
export interface PoisonGuard<Item extends Leftover> {
  /** The event that may begin now. If undefined, `wake` is called when that may have changed. */
  next(ready: readonly Item[]): Item | undefined;
  /** Reserves a slot for an event that is about to be processed. */
  begin(item: Item): void;
  /** Marks the start of the processing itself, which may end the process. */
  work(item: Item): void;
  /** Frees the slot of an event that has ended or is known to be harmless. */
  end(item: Item): void;
  stop(): void;
}

/** The pauses before events with deaths begin again, so that new messages are answered in between. */
const BACK_OFF: BackOff = { firstMs: 500, maxMs: 2_000 };

interface State {
  /** Whether it did not end the process at once. */
  proven: boolean;
  readonly timers: NodeJS.Timeout[];
}

/** Creates the guard of one run. */
export function createPoisonGuard<Item extends Leftover>(wake: () => void): PoisonGuard<Item> {
  const running = new Map<Item, State>();
  /** The number of deaths of the events that begin at the moment. */
  let level = -1;
  /** When the first event of this level may begin, by `performance.now()`. */
  let since = 0;
  /** How many events of this level are proven. */
  let proven = 0;
  let pause: NodeJS.Timeout | undefined;

  return {
    next: (ready) => {
      const first = firstOf(ready);
      // Events with fewer deaths must end first.
      if (!first || [...running.keys()].some(({ deaths }) => deaths < first.deaths)) return undefined;
      if (first.deaths !== level) enterLevel(first.deaths);
      const ms = since - performance.now();
      if (ms > 0) {
        clearTimeout(pause);
        pause = setTimeout(wake, ms + 1);
        return undefined;
      }
      const unproven = [...running.values()].filter((state) => !state.proven).length;
      const hasRoom = running.size < concurrencyAfter(level) && unproven < Math.max(1, proven);
      return hasRoom ? first : undefined;
    },
    begin: (item) => running.set(item, { proven: false, timers: [] }),
    work: (item) => {
      const state = running.get(item);
      const provenMs = item.deaths === 0 ? PROVEN_MS.clean : PROVEN_MS.poison;
      state?.timers.push(
        setTimeout(() => prove(item), provenMs),
        setTimeout(() => end(item), SURVIVED_MS),
      );
    },
    end,
    stop: () => {
      clearTimeout(pause);
      for (const item of running.keys()) end(item);
    },
  };

  function enterLevel(deaths: number): void {
    level = deaths;
    since = performance.now() + pauseBefore(level);
    proven = 0;
  }

  function prove(item: Item): void {
    const state = running.get(item);
    if (!state || state.proven) return;
    state.proven = true;
    if (item.deaths === level) proven += 1;
    wake();
  }

  function end(item: Item): void {
    prove(item);
    for (const timer of running.get(item)?.timers ?? []) clearTimeout(timer);
    if (running.delete(item)) wake();
  }
}

function firstOf<Item extends Leftover>(ready: readonly Item[]): Item | undefined {
  let first = ready[0];
  for (const item of ready)
    if (first && (item.deaths - first.deaths || item.begun - first.begun) < 0) first = item;
  return first;
}

function pauseBefore(deaths: number): number {
  return deaths === 0 ? 0 : backOff(deaths, BACK_OFF);
}

import { PROVEN_MS, SURVIVED_MS, suspectsAtOnce } from "./retry-policy.ts";

/** Something that an earlier run has left, and may have died of. */
export interface Left {
  /** How often processes have died with it, as far as is known. */
  readonly deaths: number;
  /** When it was last begun: larger than that of what was begun before it; -1 if never. */
  readonly begun: number;
}

/**
 * In which order, and how many at once, what an earlier run has left is begun: first what no process has died with, then
 * what one has, and so on; of these first what was begun first, as a process mostly dies of what it began last. At the
 * beginning one at a time, and quickly more: what ends the process at once is found before the others are in it.
 */
export interface Caution<Item extends Left> {
  /** Which of these may begin now; undefined if none may, and `wake` is called when that can have changed. */
  next(ready: readonly Item[]): Item | undefined;
  /** It is going to be worked on. */
  begin(item: Item): void;
  /** The work on it itself begins, which may end the process. */
  work(item: Item): void;
  /** It has ended, or is not suspected any more. */
  end(item: Item): void;
  stop(): void;
}

/** What a process has died with waits before it is begun again, in ms, so that others who write meanwhile are answered. */
const PAUSE_MS = { first: 500, most: 2_000 };

interface State {
  /** It has not ended the process at once. */
  proven: boolean;
  readonly timers: NodeJS.Timeout[];
}

/** One for each run. */
export function createCaution<Item extends Left>(wake: () => void): Caution<Item> {
  const running = new Map<Item, State>();
  let level = -1;
  /** When the first of this level may begin, in ms of `performance.now()`. */
  let since = 0;
  /** How many of this level have not ended the process at once. */
  let proven = 0;
  let pause: NodeJS.Timeout | undefined;

  return {
    next: (ready) => {
      const first = firstOf(ready);
      // Those that fewer processes have died with are waited for.
      if (!first || [...running.keys()].some(({ deaths }) => deaths < first.deaths)) return undefined;
      if (first.deaths !== level) enter(first.deaths);
      const ms = since - performance.now();
      if (ms > 0) {
        clearTimeout(pause);
        pause = setTimeout(wake, ms + 1);
        return undefined;
      }
      const unproven = [...running.values()].filter((state) => !state.proven).length;
      const isFree = running.size < suspectsAtOnce(level) && unproven < Math.max(1, proven);
      return isFree ? first : undefined;
    },
    begin: (item) => running.set(item, { proven: false, timers: [] }),
    work: (item) => {
      const state = running.get(item);
      const provenMs = item.deaths === 0 ? PROVEN_MS.clean : PROVEN_MS.suspect;
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

  function enter(deaths: number): void {
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

function firstOf<Item extends Left>(ready: readonly Item[]): Item | undefined {
  let first = ready[0];
  for (const item of ready)
    if (first && (item.deaths - first.deaths || item.begun - first.begun) < 0) first = item;
  return first;
}

function pauseBefore(deaths: number): number {
  return deaths === 0 ? 0 : Math.min(PAUSE_MS.most, PAUSE_MS.first * 2 ** (deaths - 1));
}

import { SURVIVED_MS, suspectsAtOnce } from "./rules.ts";

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
  /** It has begun. */
  begin(item: Item): void;
  /** It has ended, or is not suspected any more. */
  end(item: Item): void;
  stop(): void;
}

/** In this time the number that may run doubles, in ms: of those that no process has died with, and of the others. */
const DOUBLE_MS = { clean: 25, suspect: 250 };

/** What a process has died with waits before it is begun again, in ms, so that others who write meanwhile are answered. */
const PAUSE_MS = { first: 500, most: 2_000 };

/** One for each run. */
export function createCaution<Item extends Left>(wake: () => void): Caution<Item> {
  const running = new Map<Item, NodeJS.Timeout>();
  let level = -1;
  /** When the first of this level may begin, in ms of `performance.now()`. */
  let since = 0;
  let timer: NodeJS.Timeout | undefined;

  return {
    next: (ready) => {
      const first = firstOf(ready);
      // Those that fewer processes have died with are waited for.
      if (!first || [...running.keys()].some(({ deaths }) => deaths < first.deaths)) return undefined;
      if (first.deaths !== level) {
        level = first.deaths;
        since = performance.now() + pauseBefore(level);
      }
      if (running.size < allowed()) return first;
      clearTimeout(timer);
      timer = setTimeout(wake, Math.max(1, since - performance.now(), doubleMs()));
      return undefined;
    },
    begin: (item) =>
      running.set(
        item,
        setTimeout(() => end(item), SURVIVED_MS),
      ),
    end,
    stop: () => {
      clearTimeout(timer);
      for (const item of running.keys()) end(item);
    },
  };

  function end(item: Item): void {
    clearTimeout(running.get(item));
    if (running.delete(item)) wake();
  }

  function allowed(): number {
    const passed = performance.now() - since;
    return passed < 0
      ? 0
      : Math.min(2 ** Math.min(20, Math.floor(passed / doubleMs())), suspectsAtOnce(level));
  }

  function doubleMs(): number {
    return level === 0 ? DOUBLE_MS.clean : DOUBLE_MS.suspect;
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

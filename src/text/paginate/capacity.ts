import type { Steps } from "../../system/slices.ts";

/** How many units fit on a page, as far as this is known. */
export interface Capacity {
  /** The most units that are known to fit. */
  readonly low: number;
  /** The fewest units that are known not to fit. */
  readonly high: number;
  /** Tries positions, given in order, until no untried one lies between `low` and `high`. */
  among(positions: readonly number[]): Steps<void>;
  /** The exact number of units that fit. */
  exact(): Steps<number>;
  /** Whether a page that ends at this position fills at least this share of its capacity. */
  isFilled(at: number, share: number): Steps<boolean>;
}

/** How far from the guess to search first, in units. */
const FIRST_STEP = 4;

/** Finds the capacity of a page that probably holds `usual` units. Each try prints the page, so it tries rarely. */
export function createCapacity(usual: number, fits: (units: number) => boolean): Capacity {
  let low = 0;
  let high = Number.POSITIVE_INFINITY;

  return {
    get low() {
      return low;
    },
    get high() {
      return high;
    },
    among,
    exact,
    isFilled: function* (at, share) {
      if (at >= high * share) return true;
      return at >= low * share && at >= (yield* exact()) * share;
    },
  };

  function* among(positions: readonly number[]): Steps<void> {
    const first = countUpTo(positions, low);
    const end = high === Number.POSITIVE_INFINITY ? positions.length : countUpTo(positions, high - 1);
    const guess = countUpTo(positions, usual) - 1;
    yield* search({ low: first - 1, high: end, guess, step: 1 }, (index) => tryUnits(positions[index] ?? 0));
  }

  function* exact(): Steps<number> {
    const guess = low < usual && usual < high ? usual : Math.floor((low + high) / 2);
    yield* search({ low, high, guess, step: FIRST_STEP }, tryUnits);
    return low;
  }

  function tryUnits(units: number): boolean {
    const isFitting = fits(units);
    if (isFitting) low = Math.max(low, units);
    else high = Math.min(high, units);
    return isFitting;
  }
}

/** How many of the numbers, which are in ascending order, are not above the limit. */
function countUpTo(numbers: readonly number[], limit: number): number {
  let from = 0;
  let to = numbers.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((numbers[middle] ?? 0) <= limit) from = middle + 1;
    else to = middle;
  }
  return from;
}

interface Range {
  readonly low: number;
  readonly high: number;
  readonly guess: number;
  readonly step: number;
}

/** Searches from the guess in doubling steps until one value fits and one does not, then bisects between them. */
function* search(range: Range, fits: (value: number) => boolean): Steps<void> {
  let { low, high, step } = range;
  let climbed = false;
  let fell = false;
  let value = Math.max(low + 1, Math.min(high - 1, range.guess));
  while (high - low > 1) {
    if (fits(value)) {
      low = value;
      climbed = true;
    } else {
      high = value;
      fell = true;
    }
    if (climbed && fell) value = Math.floor((low + high) / 2);
    else value = climbed ? Math.min(high - 1, low + step) : Math.max(low + 1, high - step);
    step *= 2;
    yield;
  }
}

import type { Steps } from "../../system/slices.ts";

/** How many units of a page fit, as far as that has been tried. */
export interface Capacity {
  /** So many fit. */
  readonly low: number;
  /** So many do not. */
  readonly high: number;
  /** Tries the places, given in order, until `low` and `high` are neighbours among them. */
  among(places: readonly number[]): Steps<void>;
  /** The most that fit. */
  exact(): Steps<number>;
  /** Whether up to this place at least such a part of the page is full. */
  isFilled(at: number, part: number): Steps<boolean>;
}

/** How far beside the guess the end of a page is looked for first, in units. */
const FIRST_STEP = 4;

/** Room on a page that is thought to hold `usual` units. As trying means printing, it is done rarely. */
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
    isFilled: function* (at, part) {
      if (at >= high * part) return true;
      return at >= low * part && at >= (yield* exact()) * part;
    },
  };

  function* among(places: readonly number[]): Steps<void> {
    const first = upTo(places, low);
    const end = high === Number.POSITIVE_INFINITY ? places.length : upTo(places, high - 1);
    const guess = upTo(places, usual) - 1;
    yield* search({ low: first - 1, high: end, guess, step: 1 }, (index) => isTaken(places[index] ?? 0));
  }

  function* exact(): Steps<number> {
    const guess = low < usual && usual < high ? usual : Math.floor((low + high) / 2);
    yield* search({ low, high, guess, step: FIRST_STEP }, isTaken);
    return low;
  }

  function isTaken(units: number): boolean {
    const taken = fits(units);
    if (taken) low = Math.max(low, units);
    else high = Math.min(high, units);
    return taken;
  }
}

/** How many of the numbers, which are in order, are at most this one. */
function upTo(numbers: readonly number[], limit: number): number {
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

/** Tries from the guess on in growing steps until one is taken and one is not, and then in between. */
function* search(range: Range, isTaken: (value: number) => boolean): Steps<void> {
  let { low, high, step } = range;
  let climbed = false;
  let fell = false;
  let value = Math.max(low + 1, Math.min(high - 1, range.guess));
  while (high - low > 1) {
    if (isTaken(value)) {
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

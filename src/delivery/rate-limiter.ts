/** Writes that follow one another at a pace. */
export interface RateLimiter {
  /** Whether nothing of what was written matters any more. */
  readonly idle: boolean;
  /** When one more may be made, in ms from now; `credit`: though so many are not paid for yet. */
  waitMs(credit: number): number;
  /** Counts a write. */
  spend(): void;
  /**
   * Counts a write and resolves when its turn has come, first come first served; rejects with the signal's reason.
   * What is not `urgent` gets no burst, and comes behind all that is.
   */
  turn(urgent: boolean, signal: AbortSignal): Promise<void>;
  /** The platform wants to be left alone for so long: from then on the pace is slower, for a while. */
  slowDown(forMs: number): void;
}

/** Each refusal makes the pace so many times slower, but never more than that in all. */
const SLOWER = { each: 1.25, most: 8 };
/** After so many ms without a refusal half of the slowness is over. */
const HALF_LIFE_MS = 30_000;

/** A lane of one write each `pace()` ms, of which `burst()` more may be made at once, and paid for later. */
export function createRateLimiter(pace: () => number, burst: () => number): RateLimiter {
  /** When all that was written will have had its time, in ms since the epoch. */
  let paid = 0;
  /** The platform takes nothing before, in ms since the epoch. */
  let closedUntil = 0;
  let slowness = { times: 1, at: 0 };
  const rows: readonly Row[] = [
    { credit: burst, waiting: [] },
    { credit: () => 0, waiting: [] },
  ];
  let timer: NodeJS.Timeout | undefined;

  return {
    get idle() {
      return waitMs(0) === 0 && first() === undefined && times() < 1.05;
    },
    waitMs,
    spend,
    turn: async (urgent, signal) => {
      signal.throwIfAborted();
      const row = rows[urgent ? 0 : 1];
      if (row) await queue(row, signal);
    },
    slowDown: (forMs) => {
      closedUntil = Math.max(closedUntil, Date.now() + forMs);
      slowness = { times: Math.min(SLOWER.most, times() * SLOWER.each), at: Date.now() };
    },
  };

  function waitMs(credit: number): number {
    const now = Date.now();
    return Math.max(0, closedUntil - now, paid - now - credit * pace() * times());
  }

  function spend(): void {
    paid = Math.max(Date.now(), paid) + pace() * times();
  }

  function times(): number {
    return 1 + (slowness.times - 1) * 0.5 ** ((Date.now() - slowness.at) / HALF_LIFE_MS);
  }

  function queue({ waiting }: Row, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiting.splice(waiting.indexOf(go), 1);
        reject(signal.reason as Error);
        call();
      };
      const go = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      signal.addEventListener("abort", leave, { once: true });
      waiting.push(go);
      call();
    });
  }

  /** Calls those whose turn it is, and comes back for the next. */
  function call(): void {
    clearTimeout(timer);
    for (let row = first(); row; row = first()) {
      const ms = waitMs(row.credit());
      if (ms > 0) {
        timer = setTimeout(call, Math.ceil(ms));
        return;
      }
      spend();
      row.waiting.shift()?.();
    }
  }

  function first(): Row | undefined {
    return rows.find(({ waiting }) => waiting.length > 0);
  }
}

/** Those who wait for their turn, and how many writes may be owed when it comes. */
interface Row {
  readonly credit: () => number;
  readonly waiting: (() => void)[];
}

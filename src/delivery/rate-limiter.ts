/** Spaces out writes. A write puts the limiter in debt, which time pays off; a write must wait while the debt is high. */
export interface RateLimiter {
  /** Whether no earlier write, refusal or waiting caller matters any more. */
  readonly idle: boolean;
  /** How long to wait before the next write, in ms, if it may be made while `credit` earlier writes are unpaid. */
  waitMs(credit: number): number;
  /** Counts a write that is made now. */
  spend(): void;
  /**
   * Waits until a write may be made, and counts it. Callers are served in order of arrival, the urgent ones first; only
   * urgent callers may use the burst. Rejects with the signal's reason.
   */
  acquire(urgent: boolean, signal: AbortSignal): Promise<void>;
  /** Permits no write for `forMs`, as the platform asked, and a slower pace for a while after that. */
  slowDown(forMs: number): void;
}

/** By which factor each refusal lengthens the interval between writes, and the largest factor in all. */
const SLOWDOWN = { each: 1.25, max: 8 };
/** After how many ms without a refusal half of the slowdown is gone. */
const HALF_LIFE_MS = 30_000;

/**
 * A rate limiter (GCRA) that permits one write per `intervalMs()`, and `burst()` more at once, which are paid for later.
 * Both are read at each use, as they may change.
 */
export function createRateLimiter(intervalMs: () => number, burst: () => number): RateLimiter {
  /** When all writes so far are paid for, in ms since the epoch. */
  let paidAt = 0;
  /** Until when the platform refuses writes, in ms since the epoch. */
  let closedUntil = 0;
  let slowdown = { factor: 1, at: 0 };
  const urgent: Queue = { credit: burst, waiting: [] };
  const others: Queue = { credit: () => 0, waiting: [] };
  let timer: NodeJS.Timeout | undefined;

  return {
    get idle() {
      return waitMs(0) === 0 && firstQueue() === undefined && factor() < 1.05;
    },
    waitMs,
    spend,
    acquire: async (isUrgent, signal) => {
      signal.throwIfAborted();
      await enqueue(isUrgent ? urgent : others, signal);
    },
    slowDown: (forMs) => {
      closedUntil = Math.max(closedUntil, Date.now() + forMs);
      slowdown = { factor: Math.min(SLOWDOWN.max, factor() * SLOWDOWN.each), at: Date.now() };
    },
  };

  function waitMs(credit: number): number {
    const now = Date.now();
    return Math.max(0, closedUntil - now, paidAt - now - credit * intervalMs() * factor());
  }

  function spend(): void {
    paidAt = Math.max(Date.now(), paidAt) + intervalMs() * factor();
  }

  function factor(): number {
    return 1 + (slowdown.factor - 1) * 0.5 ** ((Date.now() - slowdown.at) / HALF_LIFE_MS);
  }

  function enqueue({ waiting }: Queue, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiting.splice(waiting.indexOf(go), 1);
        reject(signal.reason as Error);
        serve();
      };
      const go = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      signal.addEventListener("abort", leave, { once: true });
      waiting.push(go);
      serve();
    });
  }

  /** Serves the callers whose turn has come, and sets a timer for the next one. */
  function serve(): void {
    clearTimeout(timer);
    for (let queue = firstQueue(); queue; queue = firstQueue()) {
      const ms = waitMs(queue.credit());
      if (ms > 0) {
        timer = setTimeout(serve, Math.ceil(ms));
        return;
      }
      spend();
      queue.waiting.shift()?.();
    }
  }

  function firstQueue(): Queue | undefined {
    return [urgent, others].find(({ waiting }) => waiting.length > 0);
  }
}

/** The callers of one priority in order of arrival, and how many writes may be unpaid when one of them is served. */
interface Queue {
  readonly credit: () => number;
  readonly waiting: (() => void)[];
}

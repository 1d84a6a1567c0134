/** Aborts what is silent for too long, or what its parent aborts. */
export interface Watchdog extends Disposable {
  /** Give it to the work that is watched. */
  readonly signal: AbortSignal;
  /** It was the silence that ended the work. */
  readonly barked: boolean;
  /** Waits for something on the clock; the clock rests while nobody waits. */
  watch<T>(wait: Promise<T>): Promise<T>;
  /** There was progress: the silence may again last so long, in ms. */
  reset(ms: number): void;
}

/** Watches work that may be silent for `ms`; disposing of it aborts whatever is still running. */
export function createWatchdog(ms: number, parent: AbortSignal): Watchdog {
  const controller = new AbortController();
  const abort = () => controller.abort(parent.reason);
  if (parent.aborted) abort();
  else parent.addEventListener("abort", abort, { once: true });
  let left = ms;
  let barked = false;
  const bark = () => {
    barked = true;
    controller.abort();
  };

  return {
    signal: controller.signal,
    get barked() {
      return barked;
    },
    watch: async (wait) => {
      const since = performance.now();
      const timer = setTimeout(bark, left);
      try {
        return await wait;
      } finally {
        clearTimeout(timer);
        left = Math.max(0, left - (performance.now() - since));
      }
    },
    reset: (ms) => {
      left = ms;
    },
    [Symbol.dispose]: () => {
      parent.removeEventListener("abort", abort);
      controller.abort();
    },
  };
}

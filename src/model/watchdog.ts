/** Aborts work that makes no progress for too long, or whose parent signal aborts. */
export interface Watchdog extends Disposable {
  /** The signal to pass to the work. */
  readonly signal: AbortSignal;
  /** Whether the work was aborted because it made no progress. */
  readonly timedOut: boolean;
  /** Awaits a step of the work. Time counts only during such calls. */
  watch<T>(wait: Promise<T>): Promise<T>;
  /** Restarts the clock after progress; the work is aborted after another `ms` without any. */
  reset(ms: number): void;
}

/** Starts a watchdog that aborts after `ms` without progress. Disposing of it aborts work that is still running. */
export function createWatchdog(ms: number, parent: AbortSignal): Watchdog {
  const controller = new AbortController();
  const abort = () => controller.abort(parent.reason);
  if (parent.aborted) abort();
  else parent.addEventListener("abort", abort, { once: true });
  let left = ms;
  let timedOut = false;
  const timeOut = () => {
    timedOut = true;
    controller.abort();
  };

  return {
    signal: controller.signal,
    get timedOut() {
      return timedOut;
    },
    watch: async (wait) => {
      const since = performance.now();
      const timer = setTimeout(timeOut, left);
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

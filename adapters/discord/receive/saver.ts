import type { AdapterLog } from "../../../src/log.ts";
import { describeError } from "../../../src/errors.ts";

/** Minimum time between two writes to the store, in ms. */
const SAVE_INTERVAL_MS = 1000;

/** What to save, and where to report a failure. */
interface SaverOptions {
  readonly save: () => Promise<void>;
  readonly log: AdapterLog | undefined;
}

/** Saves changes in the background, one write at a time, and retries a write that failed. */
export function createSaver({ save, log }: SaverOptions) {
  let closed = false;
  let dirty = false;
  let failing = false;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;

  /** Schedules a write. */
  function changed(): void {
    dirty = true;
    if (closed) return;
    timer ??= setTimeout(() => void flush(), SAVE_INTERVAL_MS).unref();
  }

  /** Saves now; the next write saves what changes meanwhile. */
  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    while (writing) await writing;
    if (!dirty) return;
    dirty = false;
    writing = write().finally(() => (writing = undefined));
    await writing;
  }

  async function write(): Promise<void> {
    try {
      await save();
      failing = false;
    } catch (error) {
      if (!failing)
        log?.warn(
          `The session of Discord's gateway could not be saved; trying again: ${describeError(error)}`,
        );
      failing = true;
      changed();
    }
  }

  return {
    changed,
    flush,
    open(): void {
      closed = false;
    },
    discardChanges(): void {
      dirty = false;
    },
    /** Saves once more, then no further until `open`. */
    close(): Promise<void> {
      closed = true;
      return flush();
    },
  };
}

import { setTimeout as sleep } from "node:timers/promises";
import { describeError, PlatformError } from "../errors.ts";
import type { Log } from "../log.ts";
import { emit } from "../telemetry/events.ts";

/** The longest pause between two attempts, in ms, unless the platform asks for more. */
const MAX_PAUSE_MS = 30_000;

/**
 * Repeats an action until the platform accepts it, through rate limits and outages. Rejects only with a
 * `PlatformError` that is permanent or says that the message is gone, with an error of another kind, or with the
 * reason of `signal`.
 */
export async function retryUntilAccepted<T>(
  action: () => Promise<T>,
  { platform, signal, log }: { readonly platform: string; readonly signal: AbortSignal; readonly log: Log },
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof PlatformError) || error.permanent || error.gone) throw error;
      const pauseMs = backOff(error, attempt);
      log.warn(
        { code: error.code, attempt: attempt + 1, pauseMs },
        `the platform did not accept a message, trying again: ${describeError(error)}`,
      );
      await sleep(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
      emit("retry", { platform });
    }
  }
}

/** The pause before the next attempt, in ms: as long as the platform asks, or else growing with each attempt. */
export function backOff(error: PlatformError, attempt: number): number {
  if (error.retryAfterMs !== undefined) return error.retryAfterMs + Math.random() * 100;
  return Math.min(MAX_PAUSE_MS, 250 * 2 ** attempt) * (0.75 + Math.random() / 2);
}

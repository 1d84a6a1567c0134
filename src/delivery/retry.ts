import { setTimeout as sleep } from "node:timers/promises";
import { describeError, PlatformError } from "../errors.ts";
import type { Log } from "../log.ts";
import { type BackOff, backOff } from "../system/back-off.ts";
import { emit } from "../telemetry/events.ts";

/** The pauses between attempts, unless the platform asks for longer ones. */
const BACK_OFF: BackOff = { firstMs: 250, maxMs: 30_000 };

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
      const pauseMs = pauseAfterRefusal(error, attempt + 1);
      log.warn(
        { code: error.code, attempt: attempt + 1, pauseMs },
        `the platform did not accept a message, trying again: ${describeError(error)}`,
      );
      await sleep(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
      emit("retry", { platform });
    }
  }
}

/** The pause after a number of failures in a row, in ms: as long as the platform asks, or else longer each time. */
export function pauseAfterRefusal(error: PlatformError, failures: number): number {
  if (error.retryAfterMs !== undefined) return error.retryAfterMs + Math.random() * 100;
  return backOff(failures, BACK_OFF);
}

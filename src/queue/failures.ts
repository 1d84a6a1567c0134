import { describeError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { DeadLetter, DeadLetters } from "./dead.ts";
import type { Worker } from "./queue.ts";

/** The reason in a dead letter whose last attempt ended the process. */
export const PROCESS_DIED = "the program ended while it was answering this message";

/** What is needed to give up an event. */
export interface Burial {
  readonly dead: DeadLetters;
  readonly giveUp: Worker["giveUp"];
  readonly requeued: AbortSignal;
  readonly log: Log;
}

/**
 * Gives up an event. The dead letter is stored before the event leaves the queue, so that a crash in between loses
 * nothing.
 */
export async function bury(
  letter: Omit<DeadLetter, "at">,
  { dead, giveUp, requeued, log }: Burial,
): Promise<void> {
  const { event, attempts } = letter;
  await dead.add({ ...letter, at: Date.now() });
  log.error({ event: event.id, attempts }, "an event was given up: list it with `colloquy dead`");
  await giveUp(event, requeued);
}

/** A failed attempt that will be repeated. */
export interface FailedAttempt {
  readonly event: string;
  readonly conversation: string;
  readonly attempts: number;
  readonly pauseMs: number;
}

/** Logs a failed attempt. */
export function logRetry(log: Log, { pauseMs, ...failed }: FailedAttempt, error: unknown): void {
  log.error(
    { ...failed, err: error },
    `could not finish a turn, retrying in ${Math.ceil(pauseMs / 1000)} s: ${describeError(error)}`,
  );
}

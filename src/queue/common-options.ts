import type { ChatEvent } from "../event.ts";
import type { Log } from "../log.ts";
import type { DeadLetters } from "./dead.ts";

/** What every queue is given, wherever its events are stored. */
export interface CommonQueueOptions {
  /** The list of events that were given up. */
  readonly dead: DeadLetters;
  /** The conversation of an event. */
  readonly keyOf: (event: ChatEvent) => string;
  /** Whether the event stops the answers to earlier events of its conversation. */
  readonly interrupts: (event: ChatEvent) => boolean;
  /** The maximum number of events that this process works on at once. */
  readonly atOnce: number;
  /** How long `stop()` lets running work continue, in ms. */
  readonly graceMs: number;
  /** The pause after the first failure, in ms; it doubles with each further one, up to a minute. */
  readonly pauseMs: number;
  readonly log: Log;
}

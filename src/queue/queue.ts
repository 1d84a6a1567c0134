import type { ChatEvent } from "../event.ts";

/**
 * Stores every accepted event until it is answered.
 *
 * Order: `push` resolves when the event is stored; an event whose id is already in the queue is ignored. Events of one
 * conversation are processed one at a time, in the order of `push`. Conversations do not wait for each other.
 *
 * Retries: an event leaves the queue when `work` resolves. When `work` rejects, the event is tried again later, before
 * any later event of its conversation; when it rejects with `Requeued`, at the next start. After a crash, all events that
 * were in the queue are handed out again. Those that were being processed come last, and the more processes have died
 * with an event, the fewer such events run at once.
 *
 * Limits: a conversation and the whole queue hold at most `MAX_WAITING` events, or twice as many if the event interrupts,
 * so that one user cannot fill the memory. Beyond that, `push` rejects with an `Overflow` and does not store the event. If
 * the conversation is full, the first rejected event is stored with `overflow` set, and its answer tells the user; until
 * then the conversation accepts no more events.
 *
 * Dead letters: an event whose work has failed or ended the process `MAX_ATTEMPTS` times becomes a dead letter. It is
 * stored as one, `giveUp` is called, and then it leaves the queue. Failures that the event did not cause do not count:
 * `Requeued`, a `StoreError`, and a transient `PlatformError`. A dead letter for which a retry was requested returns to
 * the queue within seconds, or at the next start.
 */
export interface Queue {
  push(event: ChatEvent): Promise<void>;
  /** Begins to hand out events, beginning with those of the last run. */
  start(worker: Worker): Promise<void>;
  /** The events that are waiting or being processed, by all processes that share the queue. */
  load(): Promise<QueueLoad>;
  /** Stops handing out events, gives running work some time to end, then requeues it. Resolves when no work is running. */
  stop(): Promise<void>;
}

/** The events in the queue. */
export interface QueueLoad {
  readonly events: number;
  /** When the oldest event was written, in ms since the epoch; absent if the queue is empty. */
  readonly oldestAt?: number;
}

/** How often an event is tried; with the pauses in between this takes about two minutes. */
export const MAX_ATTEMPTS = 8;

/** The maximum number of events that are waiting or being processed: tens of MB, and minutes of work. */
export const MAX_WAITING = { conversation: 50, overall: 10_000 };

/** Processes the events of a queue. */
export interface Worker {
  /** Answers one event. */
  readonly work: (event: ChatEvent, signals: Signals) => Promise<void>;
  /** Tells the user that the event was given up. Called after it became a dead letter, and again if the process dies. */
  readonly giveUp: (event: ChatEvent, requeued: AbortSignal) => Promise<void>;
}

/** Reasons for which the work on an event should end early. */
export interface Signals {
  /** Aborts with `Interrupted` when the user stops the answer: end it here and save what was said so far. */
  readonly interrupted: AbortSignal;
  /** Aborts with `Requeued` when the program stops: end at once and reject with this reason. */
  readonly requeued: AbortSignal;
}

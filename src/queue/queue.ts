import type { ChatEvent } from "../event.ts";

/**
 * Keeps every accepted event until it is answered.
 *
 * Contract: `push` resolves once the event is stored, and an id that is still in the queue is ignored.
 * Events of one conversation are worked on one at a time, in the order of `push`; conversations do not wait
 * for each other. An event leaves the queue when `work` resolves; when `work` rejects it is tried again
 * later, before any later event of its conversation; when it rejects with `Parked`, at the next start.
 * Events that were in the queue when the process died are handed out again at the next start, those that were being worked
 * on after all others, and the fewer at once the more often processes have died with them.
 *
 * So that nobody fills the memory, a conversation and the whole queue take no more than `MAX_WAITING`, events that
 * interrupt twice as many: beyond that `push` rejects with an `Overflow` and stores nothing. Where it is the
 * conversation that is full, the first such event is stored as one with `overflow`, by which the person is told in its
 * turn; until then no more of the conversation is taken in.
 *
 * An event whose work has failed `MAX_ATTEMPTS` times, or has ended the process as often, becomes a dead letter:
 * stored there first, then `giveUp`, then gone from the queue. Not counted is what is no fault of the event:
 * `Parked`, a `StoreError`, and a `PlatformError` that may pass. A dead letter that someone wants tried once more
 * is taken back within seconds, or at the next start.
 */
export interface Queue {
  push(event: ChatEvent): Promise<void>;
  /** Begins to hand out events, those left from the last run first. */
  start(worker: Worker): Promise<void>;
  /** What waits or is worked on, by all processes that share the queue. */
  load(): Promise<QueueLoad>;
  /** Stops handing out, lets running work end for a while, then parks it; resolves when none runs. */
  stop(): Promise<void>;
}

/** How much there is to do. */
export interface QueueLoad {
  readonly events: number;
  /** When the one that waits longest was said, in ms since the epoch; absent if there is none. */
  readonly oldestAt?: number;
}

/** So often an event is tried: with the pauses between them over about two minutes. */
export const MAX_ATTEMPTS = 8;

/** So many events wait or are worked on at most: tens of MB, and minutes of work. */
export const MAX_WAITING = { conversation: 50, overall: 10_000 };

/** What is done with events. */
export interface Worker {
  /** Answers one event. */
  readonly work: (event: ChatEvent, signals: Signals) => Promise<void>;
  /** Says the last word about an event that is a dead letter by now; called again if the process dies meanwhile. */
  readonly giveUp: (event: ChatEvent, requeued: AbortSignal) => Promise<void>;
}

/** Why the work on an event should end early. */
export interface Signals {
  /** Aborts with `Interrupted` when the person stops what they asked: end the answer, keep what was said. */
  readonly interrupted: AbortSignal;
  /** Aborts with `Parked` when the program stops: let go at once and reject with it. */
  readonly requeued: AbortSignal;
}

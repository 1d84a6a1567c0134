import type { ChatEvent } from "../../event.ts";
import type { DeadLetters } from "../../queue/dead.ts";
import type { Queue, Signals, Worker } from "../../queue/queue.ts";

/** A database; `open` opens a queue on it, as a process does when it starts. */
export interface QueueUnderTest {
  /** `/reset` interrupts; at most `atOnce` (default 100) run at once. */
  open(options?: { atOnce?: number }): Promise<Queue>;
  /** Kills the queue as the death of its process would: nothing it was processing goes on. */
  kill(queue: Queue): Promise<void>;
  /** Where the queue puts events that it gives up. */
  readonly dead: DeadLetters;
  /** The ids of the stored events. */
  stored(): Promise<string[]>;
  close(): Promise<void>;
}

/** Starts a queue whose events are given up in silence. */
export function begin(queue: Queue, work: Worker["work"]): Promise<void> {
  return queue.start({ work, giveUp: async () => undefined });
}

/** What a process that is killed in the middle of an event comes to. */
export function forEver(): Promise<never> {
  return new Promise(() => undefined);
}

export function said(user: string, index: number): ChatEvent {
  return {
    id: `${user}-${index}`,
    platform: "paper",
    user: { id: user },
    chat: { id: user, kind: "direct" },
    to: {},
    text: `message ${index}`,
    at: index,
  };
}

export function aborted({ interrupted, requeued }: Signals): Promise<void> {
  const signal = AbortSignal.any([interrupted, requeued]);
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

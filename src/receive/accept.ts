import type { Receive } from "../adapter.ts";
import { Overflow } from "../errors.ts";
import { type ChatEvent, MAX_TEXT } from "../event.ts";
import type { Queue } from "../queue/queue.ts";
import { markStage } from "../telemetry/stages.ts";

/** How much of a text that is too long is kept, in UTF-16 units: enough for its author to recognise it. */
const KEPT_TEXT = 200;

/**
 * Stores events in the queue. If a conversation is full, its user will read so in turn, and the event counts as accepted;
 * but not if the platform already shows a placeholder for the answer, which then must be closed at once.
 */
export function createAccept(queue: Pick<Queue, "push">): Receive {
  return async (event) => {
    markStage("received", event);
    try {
      await queue.push(withinLength(event));
    } catch (error) {
      if (!(error instanceof Overflow) || !error.willBeTold || event.placeholder) throw error;
    }
  };
}

/** The event, or only the beginning and the length of a text that is too long. */
function withinLength(event: ChatEvent): ChatEvent {
  const { text } = event;
  if (text.length <= MAX_TEXT) return event;
  return { ...event, text: text.slice(0, KEPT_TEXT).replace(/\p{Surrogate}$/u, ""), tooLong: text.length };
}

import { Overflow } from "../errors.ts";

/** The whole queue is full: the platform must deliver the event again. */
export function queueIsFull(count: number): Overflow {
  return new Overflow(false, `${count} messages are already waiting for an answer: try again later`);
}

/** A conversation is full: the user is told in turn that the event was not accepted. */
export function conversationIsFull(conversation: string, count: number): Overflow {
  return new Overflow(true, `${count} messages of ${conversation} are already waiting for an answer`);
}

import type { Handler, Turn } from "../handler.ts";

export interface AgeLimit {
  /** The maximum age of a question, in ms. */
  readonly maxAgeMs: number;
  /** The names of the commands that ask a question. All other commands run at any age. */
  readonly asking: ReadonlySet<string>;
  /** Whether the user has access; by default every user has. Without access, the user gets the refusal, not an apology. */
  readonly admits?: (event: Turn["event"]) => boolean;
}

/**
 * Apologises for questions that are too old, whose authors have gone on without an answer. After a long outage, each
 * conversation gets one apology for all of them instead of a flood of answers. The time of the apology is saved with the
 * conversation, so that a crash in between does not cause a second one.
 */
export function apologiseForOld({ maxAgeMs, asking, admits }: AgeLimit): Handler {
  return (turn, next) => {
    const { event, conversation } = turn;
    const asks = event.command === undefined || asking.has(event.command);
    if (!asks || Date.now() - event.at <= maxAgeMs) return next();
    turn.log.warn({ at: event.at }, "did not answer a question that is older than MAX_EVENT_AGE");
    // The last apology covers this question as well.
    if (event.at <= (conversation.apologised ?? 0)) return undefined;
    conversation.apologised = Date.now();
    return admits && !admits(event) ? next() : turn.say("access.old");
  };
}

import type { Handler, Turn } from "../handler.ts";

export interface AgeLimit {
  /** In ms, from when something was said. */
  readonly mostMs: number;
  /** The names of commands that ask something; all others do what they do, however late. */
  readonly asking: ReadonlySet<string>;
  /** Whoever has no access hears that instead of an apology; by default everyone has. */
  readonly admits?: (event: Turn["event"]) => boolean;
}

/**
 * Who asked too long ago has gone on without an answer: after a long outage each conversation gets one apology for
 * all that was asked in vain, instead of a flood of answers. It is kept in the conversation's record, so that a
 * crash in the midst of them costs no second one.
 */
export function apologiseForOld({ mostMs, asking, admits }: AgeLimit): Handler {
  return (turn, next) => {
    const { event, conversation } = turn;
    const asks = event.command === undefined || asking.has(event.command);
    if (!asks || Date.now() - event.at <= mostMs) return next();
    turn.log.warn({ at: event.at }, "a question is older than MAX_EVENT_AGE and is not answered");
    // Said before the last apology: that one was meant for it too.
    if (event.at <= (conversation.apologised ?? 0)) return undefined;
    conversation.apologised = Date.now();
    return admits && !admits(event) ? next() : turn.say("access.old");
  };
}

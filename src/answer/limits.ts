import { MAX_MESSAGES, type ConversationMessage } from "../conversation/conversation.ts";

/** How long a conversation may become, and what happens when it is longer. */
export interface HistoryLimits {
  /** The maximum number of tokens in a request; by default, as many as the model permits. */
  readonly tokens?: number | undefined;
  /** The number of messages, including the persona, at which a conversation is full. */
  readonly messages?: number | undefined;
  /** The maximum age of messages, in ms; with the policy `reset`, that of the last message. */
  readonly ageMs?: number | undefined;
  /**
   * `drop` removes the oldest messages. `summarise` replaces the older half with a summary by the model, which the user
   * sees. `reset` starts the conversation anew, and says so.
   */
  readonly policy: LimitPolicy;
}

/** What to do with a conversation that is too long. */
export type LimitPolicy = "drop" | "summarise" | "reset";

/** A conversation to check against the limits. */
interface Measured {
  readonly messages: readonly ConversationMessage[];
  /** Whether there is a persona, which counts as a message. */
  readonly hasPersona: boolean;
  /** How many of the oldest messages do not fit in a request. */
  readonly unfit: number;
  /** The current time, in ms since the epoch. */
  readonly now: number;
}

/** How many of the oldest messages must go before the next question: always whole turns of question and answer. */
export function excess(limits: HistoryLimits, measured: Measured): number {
  const { messages, unfit } = measured;
  const over = Math.max(unfit, overCount(limits, measured), overAge(limits, measured));
  if (over === 0) return 0;
  if (limits.policy === "reset") return messages.length;
  // At least half, so that not every further question needs another summary.
  const enough = limits.policy === "summarise" ? Math.max(over, Math.ceil(messages.length / 2)) : over;
  const next = messages.findIndex(({ role }, index) => index >= enough && role === "user");
  return next < 0 ? messages.length : next;
}

function overCount(
  { policy, messages: maxMessages }: HistoryLimits,
  { messages, hasPersona }: Measured,
): number {
  // The record silently loses its oldest messages beyond `MAX_MESSAGES`. Policies with a notice must act before that.
  const limit = Math.min(
    maxMessages ?? Number.POSITIVE_INFINITY,
    policy === "drop" ? Number.POSITIVE_INFINITY : MAX_MESSAGES,
  );
  return Math.max(0, messages.length + (hasPersona ? 1 : 0) - limit + 1);
}

function overAge({ policy, ageMs }: HistoryLimits, { messages, now }: Measured): number {
  if (ageMs === undefined) return 0;
  const isOld = ({ at }: ConversationMessage) => now - at > ageMs;
  if (policy === "reset") return messages.slice(-1).some(isOld) ? messages.length : 0;
  const firstRecent = messages.findIndex((message) => !isOld(message));
  return firstRecent < 0 ? messages.length : firstRecent;
}

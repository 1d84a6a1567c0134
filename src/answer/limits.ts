import { MAX_MESSAGES, type ConversationMessage } from "../conversation/conversation.ts";

/** How long a conversation may become, and what happens then. */
export interface HistoryLimits {
  /** The most tokens of a request; what the model can take if absent. */
  readonly tokens?: number | undefined;
  /** With so many messages, the persona among them, a conversation is full. */
  readonly messages?: number | undefined;
  /** How old what is remembered may be, in ms. */
  readonly ageMs?: number | undefined;
  /**
   * `drop`: the oldest is left out. `summarise`: the older half becomes a note of the model's own, which the person
   * sees. `reset`: the conversation begins anew, and the person is told; its age is then that of its last message.
   */
  readonly policy: LimitPolicy;
}

/** What is done about a conversation that is too long. */
export type LimitPolicy = "drop" | "summarise" | "reset";

/** What the limits are held against. */
interface Measured {
  readonly messages: readonly ConversationMessage[];
  /** There is a persona, which counts as a message. */
  readonly persona: boolean;
  /** So many of the oldest messages do not fit into a request. */
  readonly unfit: number;
  /** In ms since the epoch. */
  readonly now: number;
}

/** How many of the oldest messages have to go before a question is asked; whole turns of question and answer. */
export function excess(limits: HistoryLimits, measured: Measured): number {
  const { messages, unfit } = measured;
  const over = Math.max(unfit, overCount(limits, measured), overAge(limits, measured));
  if (over === 0) return 0;
  if (limits.policy === "reset") return messages.length;
  // Not with every further question again.
  const enough = limits.policy === "summarise" ? Math.max(over, Math.ceil(messages.length / 2)) : over;
  const next = messages.findIndex(({ role }, index) => index >= enough && role === "user");
  return next < 0 ? messages.length : next;
}

function overCount({ policy, messages: most }: HistoryLimits, { messages, persona }: Measured): number {
  // Beyond that the record loses its beginning: a policy that tells people must come before.
  const limit = Math.min(
    most ?? Number.POSITIVE_INFINITY,
    policy === "drop" ? Number.POSITIVE_INFINITY : MAX_MESSAGES,
  );
  return Math.max(0, messages.length + (persona ? 1 : 0) - limit + 1);
}

function overAge({ policy, ageMs }: HistoryLimits, { messages, now }: Measured): number {
  if (ageMs === undefined) return 0;
  const isOld = ({ at }: ConversationMessage) => now - at > ageMs;
  if (policy === "reset") return messages.slice(-1).some(isOld) ? messages.length : 0;
  const young = messages.findIndex((saying) => !isOld(saying));
  return young < 0 ? messages.length : young;
}

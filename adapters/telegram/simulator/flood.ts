import { Refusal } from "./refusal.ts";

/** The most writes, edits included. */
export interface FloodLimits {
  readonly perChatPerSecond: number;
  /** How many writes may follow at once in a quiet chat. */
  readonly chatBurst: number;
  readonly perGroupPerMinute: number;
  readonly overallPerSecond: number;
  /** Drafts are counted separately. */
  readonly draftsPerChatPerSecond: number;
}

/**
 * Telegram's limits: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this. The burst and the
 * limit of drafts are guesses.
 */
export const REAL_FLOOD_LIMITS: FloodLimits = {
  perChatPerSecond: 1,
  chatBurst: 3,
  perGroupPerMinute: 20,
  overallPerSecond: 30,
  draftsPerChatPerSecond: 3,
};

/** Creates a check of the limits. It throws a `Refusal` with the seconds to wait for a write that exceeds them. */
export function createFlood(limits: FloodLimits): (chat: { id: number; type: string }) => void {
  const { perChatPerSecond, chatBurst, perGroupPerMinute, overallPerSecond } = limits;
  const chats = new Map<number, number[]>();
  const all: number[] = [];

  return ({ id, type }) => {
    const now = Date.now();
    const own = chats.get(id) ?? [];
    chats.set(id, own);
    const waitMs = Math.max(
      waitFor(own, { limit: chatBurst, windowMs: (chatBurst / perChatPerSecond) * 1000, now }),
      type === "private" ? 0 : waitFor(own, { limit: perGroupPerMinute, windowMs: 60_000, now }),
      waitFor(all, { limit: overallPerSecond, windowMs: 1000, now }),
    );
    refuseIf(waitMs);
    own.push(now);
    all.push(now);
  };
}

/** Creates the same check for drafts. */
export function createDraftFlood({
  draftsPerChatPerSecond: limit,
}: FloodLimits): (chat: { id: number }) => void {
  const chats = new Map<number, number[]>();
  return ({ id }) => {
    const now = Date.now();
    const own = chats.get(id) ?? [];
    chats.set(id, own);
    refuseIf(waitFor(own, { limit, windowMs: 1000, now }));
    own.push(now);
  };
}

function refuseIf(waitMs: number): void {
  if (waitMs <= 0) return;
  const seconds = Math.ceil(waitMs / 1000);
  throw new Refusal(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds });
}

/** How long until the window has room for another write, in ms. */
function waitFor(
  times: readonly number[],
  { limit, windowMs, now }: { limit: number; windowMs: number; now: number },
): number {
  const oldest = times.at(-limit);
  return oldest === undefined ? 0 : Math.max(0, oldest + windowMs - now);
}

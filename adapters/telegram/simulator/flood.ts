import { Refusal } from "./refusal.ts";

/** How much may be written, edits included. */
export interface FloodLimits {
  readonly perChatPerSecond: number;
  /** So many may follow at once in a chat that was quiet. */
  readonly chatBurst: number;
  readonly perGroupPerMinute: number;
  readonly overallPerSecond: number;
  /** Drafts are counted apart. */
  readonly draftsPerChatPerSecond: number;
}

/** https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this; the burst and the drafts are guesses. */
export const REAL_FLOOD_LIMITS: FloodLimits = {
  perChatPerSecond: 1,
  chatBurst: 3,
  perGroupPerMinute: 20,
  overallPerSecond: 30,
  draftsPerChatPerSecond: 3,
};

/** Lets a write pass, or refuses it with the seconds to wait. */
export function createFlood(limits: FloodLimits): (chat: { id: number; type: string }) => void {
  const { perChatPerSecond, chatBurst, perGroupPerMinute, overallPerSecond } = limits;
  const chats = new Map<number, number[]>();
  const all: number[] = [];

  return ({ id, type }) => {
    const now = Date.now();
    const own = chats.get(id) ?? [];
    chats.set(id, own);
    const waitMs = Math.max(
      waitFor(own, { most: chatBurst, withinMs: (chatBurst / perChatPerSecond) * 1000, now }),
      type === "private" ? 0 : waitFor(own, { most: perGroupPerMinute, withinMs: 60_000, now }),
      waitFor(all, { most: overallPerSecond, withinMs: 1000, now }),
    );
    refuseIf(waitMs);
    own.push(now);
    all.push(now);
  };
}

/** Lets a draft pass, or refuses it with the seconds to wait. */
export function createDraftFlood({
  draftsPerChatPerSecond: most,
}: FloodLimits): (chat: { id: number }) => void {
  const chats = new Map<number, number[]>();
  return ({ id }) => {
    const now = Date.now();
    const own = chats.get(id) ?? [];
    chats.set(id, own);
    refuseIf(waitFor(own, { most, withinMs: 1000, now }));
    own.push(now);
  };
}

function refuseIf(waitMs: number): void {
  if (waitMs <= 0) return;
  const seconds = Math.ceil(waitMs / 1000);
  throw new Refusal(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds });
}

/** How long until another one fits into the window, in ms. */
function waitFor(
  times: readonly number[],
  { most, withinMs, now }: { most: number; withinMs: number; now: number },
): number {
  const oldest = times.at(-most);
  return oldest === undefined ? 0 : Math.max(0, oldest + withinMs - now);
}

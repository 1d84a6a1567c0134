import type { Adapter } from "../adapter.ts";
import type { ChatEvent } from "../event.ts";

/** What is written in each chat, over all answers in it. */
export interface Budgets {
  /** That of the chat of this event. */
  of(adapter: Pick<Adapter, "name" | "pace">, event: Pick<ChatEvent, "chat">): Budget;
}

/**
 * How much may be written in one chat. What stands at the end of an answer is written at once and counted;
 * growing pages are written only as far as that leaves room for it.
 */
export interface Budget {
  /** How long a growing page has to wait, in ms; `credit`: so many writes more than are free by now may be made. */
  waitMs(credit: number): number;
  /** Something is written. */
  spend(): void;
}

/** Budgets of one write each pace, in which nothing was written yet. */
export function createBudgets(): Budgets {
  /** When all that was written will have had its time, in ms since the epoch, by chat; the oldest first. */
  const paid = new Map<string, number>();

  return {
    of: ({ name, pace }, { chat }) => {
      const key = `${name}:${chat.id}`;
      const paceMs = pace[chat.kind];
      return {
        waitMs: (credit) => Math.max(0, (paid.get(key) ?? 0) - Date.now() - credit * paceMs),
        spend: () => {
          const now = Date.now();
          const until = Math.max(now, paid.get(key) ?? 0) + paceMs;
          paid.delete(key);
          paid.set(key, until);
          forgetBefore(now);
        },
      };
    },
  };

  function forgetBefore(now: number): void {
    for (const [key, until] of paid) {
      if (until > now) return;
      paid.delete(key);
    }
  }
}

import type { Pace } from "../adapter.ts";
import type { PacingPeers } from "./pacing.ts";
import { createRateLimiter, type RateLimiter } from "./rate-limiter.ts";

/** The rate limiters of one platform. */
export interface PlatformPacing {
  readonly name: string;
  /** Limits the writes in all chats together. */
  readonly overall: RateLimiter;
  /** The limiter of a chat. Ask for it at each use: an idle one is dropped, and a new one created. */
  chat(id: string, intervalMs: number): RateLimiter;
  /** Handles a refusal to this process. `wasOnPace` tells whether the chat had kept to its pace. */
  refused(chat: { id: string; limiter: RateLimiter; wasOnPace: boolean }, forMs: number): void;
  /** Handles a refusal to another process: in one chat, or in all of them. */
  slowDown(forMs: number, chat: string | undefined): void;
}

/**
 * How many writes beyond the pace may be made at once. In a chat, platforms permit short bursts, such as the end of an
 * answer and two more pages. Over all chats, bursts are so frequent that a larger one would do harm.
 */
const BURST = { chat: 2, overall: 4 };

/** If this many chats that had kept to their pace are refused within this time, all chats together are too fast. */
const TOO_FAST = { chats: 3, withinMs: 1000 };

/** Creates the pacing of a platform to which nothing has been written yet. */
export function createPlatformPacing({
  name,
  pace,
  peers,
}: {
  name: string;
  pace: Pace;
  peers: PacingPeers | undefined;
}): PlatformPacing {
  const writers = () => Math.max(1, peers?.writers() ?? 1);
  const overall = createRateLimiter(
    () => (pace.overall ?? 0) * writers(),
    () => BURST.overall / writers(),
  );
  /** By chat, the least recently used first. */
  const chats = new Map<string, RateLimiter>();
  let recentRefusals: { readonly chat: RateLimiter; readonly at: number }[] = [];

  return {
    name,
    overall,
    chat: (id, intervalMs) => {
      const chat =
        chats.get(id) ??
        createRateLimiter(
          () => intervalMs,
          () => BURST.chat,
        );
      chats.delete(id);
      forgetIdle();
      chats.set(id, chat);
      return chat;
    },
    refused: ({ id, limiter, wasOnPace }, forMs) => {
      limiter.slowDown(forMs);
      peers?.publish({ platform: name, chat: id, forMs });
      if (!wasOnPace || !isTooFast(limiter)) return;
      overall.slowDown(forMs);
      peers?.publish({ platform: name, forMs });
    },
    slowDown: (forMs, chat) => (chat === undefined ? overall : chats.get(chat))?.slowDown(forMs),
  };

  /** Whether all chats together are too fast, now that a chat has been refused although it had kept to its pace. */
  function isTooFast(chat: RateLimiter): boolean {
    const at = Date.now();
    recentRefusals = [
      ...recentRefusals.filter((one) => one.at > at - TOO_FAST.withinMs && one.chat !== chat),
      { chat, at },
    ];
    if (recentRefusals.length < TOO_FAST.chats) return false;
    recentRefusals = [];
    return true;
  }

  /** Checks two limiters each time, which is enough to keep few more than are in use. */
  function forgetIdle(): void {
    let left = 2;
    for (const [id, chat] of chats) {
      if (left === 0) return;
      left -= 1;
      chats.delete(id);
      if (!chat.idle) chats.set(id, chat);
    }
  }
}

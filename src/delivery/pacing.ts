import type { Adapter } from "../adapter.ts";
import { PlatformError } from "../errors.ts";
import type { ChatEvent } from "../event.ts";
import { emit } from "../telemetry/events.ts";
import { createRateLimiter, type RateLimiter } from "./rate-limiter.ts";

/** Keeps what is written on each platform to its pace: in each chat, and over all of them. */
export interface Pacing {
  /** The throttle of the chat of this event. */
  of(adapter: Pick<Adapter, "name" | "pace">, event: Pick<ChatEvent, "chat">): ChatPacing;
}

/**
 * What may be written in one chat. What stands at the end of an answer is written in the order in which it was
 * asked for; growing pages are written only as far as that leaves room for them.
 */
export interface ChatPacing {
  /** How long a growing page has to wait in its chat, in ms; `credit`: so many writes may be owed already. */
  waitMs(credit: number): number;
  /** Resolves when a growing page may be written as far as the other chats are concerned; rejects with the signal's reason. */
  room(signal: AbortSignal): Promise<void>;
  /** Makes a write at once, for which there is room. Rejects with what it rejects with. */
  readonly write: <T>(action: () => Promise<T>) => Promise<T>;
  /** Makes a write when its turn has come. Rejects with what it rejects with, or with the signal's reason. */
  writeInTurn<T>(action: () => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Makes a call that nobody misses, if there is room for it; rejects with what it rejects with. */
  callIfIdle(action: () => Promise<unknown>): Promise<void>;
}

/**
 * So many writes more than the pace allows may follow at once in a chat, such as the end of an answer and two more
 * pages: platforms let short bursts pass. Over all chats there are so many of them that more would do harm.
 */
const BURST = { chat: 2, overall: 4 };

/** If so many chats that had kept to their pace are refused within so many ms, then all of them together are too fast. */
const TOO_FAST = { chats: 3, withinMs: 1000 };

/** Other processes that write with the same bots. */
export interface PacingPeers {
  /** So many processes write, this one too; undefined if that is not known. */
  writers(): number | undefined;
  /** Tells the others that a platform refuses writes for a while. */
  tell(refusal: Refusal): void;
  hear(heard: (refusal: Refusal) => void): void;
}

/** A platform takes no writes in a chat for so long; without a chat, in none. */
export interface Refusal {
  readonly platform: string;
  readonly chat?: string;
  readonly forMs: number;
}

/**
 * Throttles of platforms on which nothing was written yet. Of what is allowed over all chats together each process
 * takes the same share; what a platform refuses to one of them counts for all.
 */
export function createPacing(others?: PacingPeers): Pacing {
  const platforms = new Map<string, Platform>();
  others?.hear(({ platform, chat, forMs }) => platforms.get(platform)?.slowDown(forMs, chat));
  return {
    of: (adapter, { chat }) => {
      const { name, pace } = adapter;
      const platform = platforms.get(name) ?? open(name, pace.overall ?? 0);
      platforms.set(name, platform);
      return createChatPacing(platform, {
        id: chat.id,
        limiter: () => platform.chat(chat.id, pace[chat.kind]),
      });
    },
  };

  function open(platform: string, overallMs: number): Platform {
    const writers = () => Math.max(1, others?.writers() ?? 1);
    return createPlatform({
      name: platform,
      overall: createRateLimiter(
        () => overallMs * writers(),
        () => BURST.overall / writers(),
      ),
      tell: (forMs, chat) => others?.tell({ platform, forMs, ...(chat !== undefined && { chat }) }),
    });
  }
}

interface Platform {
  readonly name: string;
  readonly overall: RateLimiter;
  /** That of a chat: always the newest, as idle ones are forgotten. */
  chat(id: string, paceMs: number): RateLimiter;
  /** It has refused a write in a chat, which had kept to its pace or not. */
  refused(chat: { id: string; limiter: RateLimiter; hadRoom: boolean }, forMs: number): void;
  /** It has refused one to another process. */
  slowDown(forMs: number, chat: string | undefined): void;
}

function createChatPacing(
  platform: Platform,
  { id, limiter }: { id: string; limiter: () => RateLimiter },
): ChatPacing {
  const { overall } = platform;
  return {
    waitMs: (credit) => limiter().waitMs(credit),
    room: (signal) => overall.turn(false, signal),
    write: (action) => {
      const chat = limiter();
      const hadRoom = chat.waitMs(0) === 0;
      chat.spend();
      return watch(action, chat, hadRoom);
    },
    writeInTurn: async (action, signal) => {
      const chat = limiter();
      const hadRoom = chat.waitMs(0) === 0;
      await chat.turn(true, signal);
      await overall.turn(true, signal);
      return watch(action, chat, hadRoom);
    },
    callIfIdle: async (action) => {
      if (overall.waitMs(0) > 0) return;
      overall.spend();
      await action();
    },
  };

  async function watch<T>(action: () => Promise<T>, chat: RateLimiter, hadRoom: boolean): Promise<T> {
    try {
      const result = await action();
      emit("write", { platform: platform.name, outcome: "taken" });
      return result;
    } catch (error) {
      const isSlow = error instanceof PlatformError && error.retryAfterMs !== undefined;
      emit("write", { platform: platform.name, outcome: isSlow ? "slow" : "failed" });
      if (error instanceof PlatformError && !isSlow) emit("error", { kind: "platform", code: error.code });
      if (error instanceof PlatformError && error.retryAfterMs !== undefined)
        platform.refused({ id, limiter: chat, hadRoom }, error.retryAfterMs);
      throw error;
    }
  }
}

function createPlatform({
  name,
  overall,
  tell,
}: {
  name: string;
  overall: RateLimiter;
  tell: (forMs: number, chat?: string) => void;
}): Platform {
  /** By chat; the one that was longest not written in first. */
  const chats = new Map<string, RateLimiter>();
  let suspects: { readonly chat: RateLimiter; readonly at: number }[] = [];

  return {
    name,
    overall,
    chat: (id, paceMs) => {
      const chat =
        chats.get(id) ??
        createRateLimiter(
          () => paceMs,
          () => BURST.chat,
        );
      chats.delete(id);
      forgetIdle();
      chats.set(id, chat);
      return chat;
    },
    refused: ({ id, limiter, hadRoom }, forMs) => {
      limiter.slowDown(forMs);
      tell(forMs, id);
      if (!hadRoom || !tooFast(limiter)) return;
      overall.slowDown(forMs);
      tell(forMs);
    },
    slowDown: (forMs, chat) => (chat === undefined ? overall : chats.get(chat))?.slowDown(forMs),
  };

  /** Whether all chats together are: this one is not the first that is refused though it had kept to its pace. */
  function tooFast(chat: RateLimiter): boolean {
    const at = Date.now();
    suspects = [
      ...suspects.filter((one) => one.at > at - TOO_FAST.withinMs && one.chat !== chat),
      { chat, at },
    ];
    if (suspects.length < TOO_FAST.chats) return false;
    suspects = [];
    return true;
  }

  /** Looks at two with each write, so that there are never many more than are in use. */
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

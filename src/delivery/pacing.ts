import type { Adapter } from "../adapter.ts";
import { PlatformError } from "../errors.ts";
import type { ChatEvent } from "../event.ts";
import { emit } from "../telemetry/events.ts";
import { createPlatformPacing, type PlatformPacing } from "./platform-pacing.ts";
import type { RateLimiter } from "./rate-limiter.ts";

/** Keeps writes to the pace of each platform, both within a chat and over all chats. */
export interface Pacing {
  /** The pacing of the event's chat. */
  of(adapter: Pick<Adapter, "name" | "pace">, event: Pick<ChatEvent, "chat">): ChatPacing;
}

/**
 * The pacing of one chat. Writes that must be made (`writeInTurn`) keep their order and have priority; updates of
 * incomplete pages (`waitMs`, `waitForTurn`, `write`) use the capacity that is left.
 */
export interface ChatPacing {
  /** How long an update must wait for its own chat, in ms, if it may be made while `credit` earlier writes are unpaid. */
  waitMs(credit: number): number;
  /** Resolves when the limit over all chats permits an update; rejects with the signal's reason. */
  waitForTurn(signal: AbortSignal): Promise<void>;
  /** Makes a write now, after the caller has waited. Rejects with the error of the write. */
  readonly write: <T>(action: () => Promise<T>) => Promise<T>;
  /** Makes a write when its turn has come. Rejects with the error of the write, or with the signal's reason. */
  writeInTurn<T>(action: () => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Makes a call that may be skipped, such as a typing indicator, if no limit is reached. Rejects with its error. */
  callIfIdle(action: () => Promise<unknown>): Promise<void>;
}

/** The connection to other processes that write with the same bots. */
export interface PacingPeers {
  /** How many processes write, including this one; undefined if that is unknown. */
  writers(): number | undefined;
  /** Sends a refusal to the other processes. */
  publish(refusal: WriteRefusal): void;
  /** Calls `receive` with each refusal that another process publishes. */
  subscribe(receive: (refusal: WriteRefusal) => void): void;
}

/** A platform accepts no writes for `forMs`: in one chat, or in all of them if `chat` is absent. */
export interface WriteRefusal {
  readonly platform: string;
  readonly chat?: string;
  readonly forMs: number;
}

/**
 * Creates the pacing of all platforms. With `peers`, each process uses an equal share of the limit over all chats, and
 * a refusal to one process slows down all of them.
 */
export function createPacing(peers?: PacingPeers): Pacing {
  const platforms = new Map<string, PlatformPacing>();
  peers?.subscribe(({ platform, chat, forMs }) => platforms.get(platform)?.slowDown(forMs, chat));
  return {
    of: (adapter, { chat }) => {
      const { name, pace } = adapter;
      const platform = platforms.get(name) ?? createPlatformPacing({ name, pace, peers });
      platforms.set(name, platform);
      return createChatPacing(platform, {
        id: chat.id,
        limiter: () => platform.chat(chat.id, pace[chat.kind]),
      });
    },
  };
}

function createChatPacing(
  platform: PlatformPacing,
  { id, limiter }: { id: string; limiter: () => RateLimiter },
): ChatPacing {
  const { overall } = platform;
  return {
    waitMs: (credit) => limiter().waitMs(credit),
    waitForTurn: (signal) => overall.acquire(false, signal),
    write: (action) => {
      const chat = limiter();
      const wasOnPace = chat.waitMs(0) === 0;
      chat.spend();
      return observe(action, { id, limiter: chat, wasOnPace });
    },
    writeInTurn: async (action, signal) => {
      const chat = limiter();
      const wasOnPace = chat.waitMs(0) === 0;
      await chat.acquire(true, signal);
      await overall.acquire(true, signal);
      return observe(action, { id, limiter: chat, wasOnPace });
    },
    callIfIdle: async (action) => {
      if (overall.waitMs(0) > 0) return;
      overall.spend();
      await action();
    },
  };

  /** Makes a write, counts its outcome, and slows down if the platform asks for that. */
  async function observe<T>(
    action: () => Promise<T>,
    chat: Parameters<PlatformPacing["refused"]>[0],
  ): Promise<T> {
    try {
      const result = await action();
      emit("write", { platform: platform.name, outcome: "taken" });
      return result;
    } catch (error) {
      const isSlow = error instanceof PlatformError && error.retryAfterMs !== undefined;
      emit("write", { platform: platform.name, outcome: isSlow ? "slow" : "failed" });
      if (error instanceof PlatformError && !isSlow) emit("error", { kind: "platform", code: error.code });
      if (error instanceof PlatformError && error.retryAfterMs !== undefined)
        platform.refused(chat, error.retryAfterMs);
      throw error;
    }
  }
}

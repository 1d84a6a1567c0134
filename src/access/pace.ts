import { RateLimiterMemory, type RateLimiterRes } from "rate-limiter-flexible";
import type { Handler } from "../handler.ts";

/**
 * Lets each person say so many things a minute. Whoever is faster is told once a minute to slow down, and
 * not answered otherwise; commands that stop something always go through.
 */
export function limitPace(messagesPerMinute: number, always: ReadonlySet<string>): Handler {
  const limiter = new RateLimiterMemory({ points: messagesPerMinute, duration: 60 });
  return async (turn, next) => {
    const { platform, user, command } = turn.event;
    if (command !== undefined && always.has(command)) return next();
    try {
      await limiter.consume(`${platform}:${user.id}`);
    } catch (refused) {
      const { consumedPoints, msBeforeNext } = refused as RateLimiterRes;
      if (consumedPoints > messagesPerMinute + 1) return undefined;
      turn.log.warn({ user: user.id }, "someone writes faster than MESSAGES_PER_MINUTE allows");
      return turn.say("access.slow", { count: Math.ceil(msBeforeNext / 1000) });
    }
    return next();
  };
}

import { RateLimiterMemory, RateLimiterPostgres, type RateLimiterRes } from "rate-limiter-flexible";
import type { Handler } from "../handler.ts";
import { localeOf, texts } from "../i18n/texts.ts";
import type { Postgres } from "../postgres/pool.ts";

export interface PaceOptions {
  readonly messagesPerMinute: number;
  /** The database in which several processes count together; this process counts alone if absent. */
  readonly postgres?: Postgres | undefined;
}

/** Limits the messages of each user per minute, over all processes. */
export interface MessageRate {
  /** Counts a message. Returns undefined if it is within the limit; `isFirst` is set for the first one of a minute that is not. */
  count(user: string): Promise<{ readonly waitS: number; readonly isFirst: boolean } | undefined>;
}

/** Creates a limit that counts in memory or in the database. */
export function createMessageRate({ messagesPerMinute, postgres }: PaceOptions): MessageRate {
  const limiter = createLimiter(messagesPerMinute, postgres);
  return {
    count: async (user) => {
      try {
        await limiter.consume(user);
        return undefined;
      } catch (refused) {
        const { consumedPoints, msBeforeNext } = refused as RateLimiterRes;
        const isFirst = consumedPoints <= messagesPerMinute + 1;
        return { waitS: Math.max(1, Math.ceil(msBeforeNext / 1000)), isFirst };
      }
    },
  };
}

/**
 * Passes on messages that are within the limit. A user who exceeds it is told to slow down once a minute and otherwise gets
 * no answer. The commands in `always` are not limited. Messages are counted here, at the beginning of their turn: a platform
 * whose message is refused earlier would only deliver it again.
 */
export function limitMessageRate({
  pace,
  always,
}: {
  readonly pace: MessageRate;
  readonly always: ReadonlySet<string>;
}): Handler {
  return async (turn, next) => {
    const { platform, user, command } = turn.event;
    if (command !== undefined && always.has(command)) return next();
    const refused = await pace.count(`${platform}:${user.id}`);
    if (!refused) return next();
    if (!refused.isFirst) return undefined;
    turn.log.warn({ user: user.id }, "a user writes faster than MESSAGES_PER_MINUTE allows");
    return turn.say("access.slow", { count: refused.waitS });
  };
}

/** Counts messages before they are accepted, for platforms that can refuse them at once. */
export function admitAt(platform: string, pace: MessageRate) {
  return async (user: string, { text, locale }: { text: string; locale?: string | undefined }) => {
    const refused = await pace.count(`${platform}:${user}`);
    if (!refused) return undefined;
    const { waitS } = refused;
    return { waitS, message: texts(localeOf(locale, text))("access.slow", { count: waitS }) };
  };
}

function createLimiter(points: number, postgres: Postgres | undefined) {
  const local = new RateLimiterMemory({ points, duration: 60 });
  if (!postgres) return local;
  return new RateLimiterPostgres({
    points,
    duration: 60,
    storeClient: postgres.pool,
    storeType: "pool",
    schemaName: "colloquy",
    tableName: "paces",
    tableCreated: true,
    clearExpiredByTimeout: true,
    // While the database is unreachable, each process counts alone.
    insuranceLimiter: local,
  });
}

import { RateLimiterMemory, RateLimiterPostgres, type RateLimiterRes } from "rate-limiter-flexible";
import type { Handler } from "../handler.ts";
import { localeOf, texts } from "../i18n/texts.ts";
import type { Postgres } from "../postgres/pool.ts";

export interface PaceOptions {
  readonly messagesPerMinute: number;
  /** Where other processes count too. */
  readonly postgres?: Postgres | undefined;
}

/** How many messages people may send in a minute, counted over all processes. */
export interface Pace {
  /** Counts one; undefined if it may pass. `isFirst`: of this minute the first that may not. */
  count(person: string): Promise<{ readonly waitS: number; readonly isFirst: boolean } | undefined>;
}

/** Counts in memory, or in the database. */
export function createPace({ messagesPerMinute, postgres }: PaceOptions): Pace {
  const limiter = createLimiter(messagesPerMinute, postgres);
  return {
    count: async (person) => {
      try {
        await limiter.consume(person);
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
 * Lets through what is not too fast. Who is faster is told once a minute to slow down, and not answered otherwise; the
 * commands in `always` go through. A platform that delivers an event again is not refused at the door, where it would
 * only come once more: so what platforms deliver is counted here, as its turn begins.
 */
export function limitPace({
  pace,
  always,
}: {
  readonly pace: Pace;
  readonly always: ReadonlySet<string>;
}): Handler {
  return async (turn, next) => {
    const { platform, user, command } = turn.event;
    if (command !== undefined && always.has(command)) return next();
    const refused = await pace.count(`${platform}:${user.id}`);
    if (!refused) return next();
    if (!refused.isFirst) return undefined;
    turn.log.warn({ user: user.id }, "someone writes faster than MESSAGES_PER_MINUTE allows");
    return turn.say("access.slow", { count: refused.waitS });
  };
}

/** For where people can be refused at once: counts what a person says before it is taken in. */
export function admitAt(platform: string, pace: Pace) {
  return async (user: string, { text, locale }: { text: string; locale?: string | undefined }) => {
    const refused = await pace.count(`${platform}:${user}`);
    if (!refused) return undefined;
    const { waitS } = refused;
    return { waitS, message: texts(localeOf(locale, text))("access.slow", { count: waitS }) };
  };
}

function createLimiter(points: number, postgres: Postgres | undefined) {
  const here = new RateLimiterMemory({ points, duration: 60 });
  if (!postgres) return here;
  return new RateLimiterPostgres({
    points,
    duration: 60,
    storeClient: postgres.pool,
    storeType: "pool",
    schemaName: "colloquy",
    tableName: "paces",
    tableCreated: true,
    clearExpiredByTimeout: true,
    // While the database is out of reach each process counts for itself.
    insuranceLimiter: here,
  });
}

import { RateLimiterMemory, RateLimiterPostgres, type RateLimiterRes } from "rate-limiter-flexible";
import type { Handler } from "../handler.ts";
import type { Postgres } from "../postgres/pool.ts";

export interface PaceOptions {
  readonly messagesPerMinute: number;
  /** The commands that always go through. */
  readonly always: ReadonlySet<string>;
  /** Where other processes count too. */
  readonly postgres?: Postgres | undefined;
}

/**
 * Lets each person say so many things a minute. Whoever is faster is told once a minute to slow down, and
 * not answered otherwise; commands that stop something always go through.
 */
export function limitPace({ messagesPerMinute, always, postgres }: PaceOptions): Handler {
  const limiter = createLimiter(messagesPerMinute, postgres);
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

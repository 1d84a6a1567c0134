/** The limiter's decision about a request. */
export interface Verdict {
  readonly headers: Record<string, string>;
  /** How long the client must wait, in ms; absent if the request may pass. */
  readonly waitMs?: number;
  readonly global?: boolean;
}

/** The bucket of a channel's messages, edits included: observed values, which Discord does not document. */
const BUCKET = { limit: 5, windowMs: 5000 };
/** All requests with the bot's token (API docs, "Rate Limits"). */
const GLOBAL = { limit: 50, windowMs: 1000 };

interface Window {
  start: number;
  used: number;
}

/** Creates a limiter that counts requests in fixed windows; `take` counts one and decides whether it may pass. */
export function createLimiter(clock: () => number) {
  const windows = new Map<string, Window>();

  function take(bucket: string, asBot: boolean): Verdict {
    const now = clock();
    if (asBot) {
      const global = use("global", GLOBAL, now);
      if (global.used > GLOBAL.limit) return globalVerdict(global.start + GLOBAL.windowMs - now);
    }
    const window = use(bucket, BUCKET, now);
    const resetMs = window.start + BUCKET.windowMs - now;
    const headers = bucketHeaders(window, now + resetMs, resetMs);
    return window.used > BUCKET.limit ? { headers, waitMs: resetMs } : { headers };
  }

  function use(name: string, { limit, windowMs }: typeof BUCKET, now: number): Window {
    let window = windows.get(name);
    if (!window || now >= window.start + windowMs) windows.set(name, (window = { start: now, used: 0 }));
    window.used = Math.min(window.used + 1, limit + 1);
    return window;
  }

  return { take };
}

function globalVerdict(waitMs: number): Verdict {
  const headers = { "X-RateLimit-Global": "true", "X-RateLimit-Scope": "global" };
  return { headers, waitMs, global: true };
}

function bucketHeaders(window: Window, resetAt: number, resetMs: number): Record<string, string> {
  return {
    "X-RateLimit-Limit": String(BUCKET.limit),
    "X-RateLimit-Remaining": String(Math.max(0, BUCKET.limit - window.used)),
    "X-RateLimit-Reset": (resetAt / 1000).toFixed(3),
    "X-RateLimit-Reset-After": (resetMs / 1000).toFixed(3),
    // The same hash for posting and editing tells the client that they share a bucket.
    "X-RateLimit-Bucket": "80c17d2f203122d936070c88c8d10f33",
    ...(window.used > BUCKET.limit ? { "X-RateLimit-Scope": "user" } : {}),
  };
}

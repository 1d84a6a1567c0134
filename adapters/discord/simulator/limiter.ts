/** What the limiter says about one request. */
export interface Verdict {
  readonly headers: Record<string, string>;
  /** The request comes too early by this much, in ms. */
  readonly waitMs?: number;
  readonly global?: boolean;
}

/** The historic bucket of messages in one channel: 5 in 5 s, edits included (platform-wide figures vary). */
const BUCKET = { limit: 5, windowMs: 5000 };
/** All requests with the bot's token: 50 in 1 s (Discord API docs, "Rate Limits"). */
const GLOBAL = { limit: 50, windowMs: 1000 };

interface Window {
  start: number;
  used: number;
}

/** Counts requests in fixed windows; `take` counts one and says whether it may pass. */
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
    // One bucket for posting and editing: the client learns it from the hash.
    "X-RateLimit-Bucket": "80c17d2f203122d936070c88c8d10f33",
    ...(window.used > BUCKET.limit ? { "X-RateLimit-Scope": "user" } : {}),
  };
}

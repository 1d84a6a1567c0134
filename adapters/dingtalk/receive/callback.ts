import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** A request signed longer ago than this is somebody's copy, in ms (open.dingtalk.com: an hour). */
const MAX_AGE_MS = 3_600_000;

/** By this much DingTalk's clock may be ahead of ours, in ms. */
const MAX_SKEW_MS = 300_000;

/** This many signatures are remembered, which are some 2 MB; of more, the oldest are taken no longer. */
const MAX_REMEMBERED = 10_000;

/** Tells DingTalk's requests from others, and the first from copies. */
export interface Signatures {
  /**
   * Whether DingTalk has signed a request: `sign` is base64(HMAC-SHA256(secret, timestamp + "\n" + secret)), and the
   * timestamp is in ms since the epoch.
   */
  isSigned(headers: Headers): boolean;
  /**
   * Whether this is what came with a signature first, or the same once more. What is signed is the time alone: who has
   * seen a request could send other words with it. (Of two messages signed in one millisecond, only one is taken.)
   */
  isFirst(headers: Headers, body: string): boolean;
  /** How many signatures are remembered. */
  readonly remembered: number;
}

/** The signatures of one robot; `now` in ms since the epoch. */
export function createSignatures(clientSecret: string, now: () => number = Date.now): Signatures {
  /** What came, as a digest, by when it was signed; in the order of arrival. */
  const taken = new Map<number, string>();
  /** What was signed up to then is taken only if it is remembered: this process, or one before it, may have had it. */
  let floor = now() - MAX_SKEW_MS;

  return {
    isSigned: (headers) => {
      const timestamp = headers.get("timestamp") ?? "";
      if (!/^[1-9]\d{9,15}$/.test(timestamp)) return false;
      const age = now() - Number(timestamp);
      if (age > MAX_AGE_MS || age < -MAX_SKEW_MS) return false;
      const wanted = createHmac("sha256", clientSecret).update(`${timestamp}\n${clientSecret}`).digest();
      const given = Buffer.from(headers.get("sign") ?? "", "base64");
      return given.length === wanted.length && timingSafeEqual(given, wanted);
    },
    isFirst: (headers, body) => {
      const at = Number(headers.get("timestamp"));
      const digest = createHash("sha256").update(body).digest("base64");
      const first = taken.get(at);
      if (first !== undefined) return first === digest;
      if (at <= floor) return false;
      taken.set(at, digest);
      forget();
      return true;
    },
    get remembered() {
      return taken.size;
    },
  };

  function forget(): void {
    for (const [at] of taken) {
      const isOver = now() - at > MAX_AGE_MS;
      if (!isOver && taken.size <= MAX_REMEMBERED) return;
      taken.delete(at);
      if (!isOver) floor = Math.max(floor, at);
    }
  }
}

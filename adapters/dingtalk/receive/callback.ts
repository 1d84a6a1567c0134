import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** Oldest valid signature, in ms (open.dingtalk.com: an hour). */
const MAX_AGE_MS = 3_600_000;

/** How far DingTalk's clock may be ahead of ours, in ms. */
const MAX_SKEW_MS = 300_000;

/** How many signatures to remember, which need about 2 MB. Beyond that, the oldest expire early. */
const MAX_REMEMBERED = 10_000;

/** Verifies that requests come from DingTalk, and detects replayed ones. */
export interface Signatures {
  /**
   * Whether DingTalk has signed a request: the header `sign` is base64(HMAC-SHA256(secret, timestamp + "\n" + secret)),
   * and the header `timestamp` is in ms since the epoch.
   */
  isSigned(headers: Headers): boolean;
  /**
   * Whether this body is the first with its signature, or the same body again. The signature covers only the time, so an
   * attacker who saw a request could send another body with it. Of two messages signed in the same millisecond, only one
   * is accepted.
   */
  isFirst(headers: Headers, body: string): boolean;
  /** The number of remembered signatures. */
  readonly remembered: number;
}

/** Creates the verification for one robot; `now` returns ms since the epoch. */
export function createSignatures(clientSecret: string, now: () => number = Date.now): Signatures {
  /** Digests of the accepted bodies by the time of their signature, in order of arrival. */
  const accepted = new Map<number, string>();
  /** Signatures up to this time are valid only if remembered: this process or an earlier one may have accepted them. */
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
      const first = accepted.get(at);
      if (first !== undefined) return first === digest;
      if (at <= floor) return false;
      accepted.set(at, digest);
      forget();
      return true;
    },
    get remembered() {
      return accepted.size;
    },
  };

  function forget(): void {
    for (const [at] of accepted) {
      const isExpired = now() - at > MAX_AGE_MS;
      if (!isExpired && accepted.size <= MAX_REMEMBERED) return;
      accepted.delete(at);
      if (!isExpired) floor = Math.max(floor, at);
    }
  }
}

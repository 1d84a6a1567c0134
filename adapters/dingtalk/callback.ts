import { createHmac, timingSafeEqual } from "node:crypto";

/** A request signed longer ago than this is somebody's copy, in ms (open.dingtalk.com: an hour). */
const WINDOW_MS = 3_600_000;

/**
 * Whether DingTalk has signed a request: `sign` is base64(HMAC-SHA256(secret, timestamp + "\n" + secret)), and the
 * timestamp is in ms since the epoch. What is signed is the time alone, so that a copied request is told by the
 * message's id, and what leads away from DingTalk is not followed.
 */
export function isSigned(headers: Headers, clientSecret: string): boolean {
  const timestamp = headers.get("timestamp") ?? "";
  if (!/^\d{10,16}$/.test(timestamp) || Math.abs(Date.now() - Number(timestamp)) > WINDOW_MS) return false;
  const wanted = createHmac("sha256", clientSecret).update(`${timestamp}\n${clientSecret}`).digest();
  const given = Buffer.from(headers.get("sign") ?? "", "base64");
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

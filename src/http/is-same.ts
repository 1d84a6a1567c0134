import { createHash, timingSafeEqual } from "node:crypto";

/**
 * Whether two texts are equal; the comparison takes the same time wherever they differ, so that no secret can be
 * guessed.
 */
export function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

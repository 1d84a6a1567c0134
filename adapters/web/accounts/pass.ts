import { createHash } from "node:crypto";
import { recordKey } from "../conversations/record-store.ts";

/**
 * The name under which a key or a session is stored, such as `link:` and a hash. The store holds only hashes, so a pass is
 * no secret. Keys and session ids are random and long: a plain hash reveals nothing of them.
 */
export function passOf(kind: "link" | "api" | "session", secret: string): string {
  return recordKey(kind, createHash("sha256").update(secret).digest("base64url"));
}

/** A short id of a pass, for people to type. It consists of hex digits, so it never looks like a command line option. */
export function idOf(pass: string): string {
  return createHash("sha256").update(pass).digest("hex").slice(0, 8);
}

import { z } from "zod";
import type { RecordStore } from "../conversations/record-store.ts";

/** When a key or a session was last used. */
export const lastUse = z.object({ at: z.number() });

/** The prefix of all keys that `lastUseKey` returns. */
export const LAST_USE_PREFIX = "used:";

/**
 * The key of the record that says when a key or a session was last used. It is a record of its own, because a key or a
 * session may be deleted at any moment: a process that wrote it again when it was used could restore what another process
 * has just deleted.
 */
export function lastUseKey(pass: string): string {
  return LAST_USE_PREFIX + pass;
}

/** Deletes a key or a session, and the record of its last use. */
export async function deletePass(store: RecordStore, pass: string): Promise<void> {
  await store.delete(pass);
  await store.delete(lastUseKey(pass));
}

import { createHash } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { claimStore } from "./claim.ts";
import type { Store } from "./store.ts";

/**
 * Waits until this process alone may work on the record with this key, and returns how to let go of it. Rejects with
 * the signal's reason if that comes first. A process that dies lets go of it too.
 */
export type KeyedLock = (key: string, signal?: AbortSignal) => Promise<() => Promise<void>>;

/** So many files there are for locks: one for each conversation would stay for each that ever was. */
const LOCK_FILES = 256;

/** How often a lock is tried again, in ms. */
const TRY_EVERY_MS = 50;

/**
 * For processes that answer in the same conversations without a common queue, such as terminals beside one another;
 * `url` is the store's.
 */
export function createKeyedLock(store: Store, url: string): KeyedLock {
  if (store.postgres) return createPostgresLock(store.postgres);
  // Memory is this process's own, and in a process the queue sees to it.
  if (!url.startsWith("sqlite:")) return async () => async () => undefined;
  return async (key, signal) => {
    const file = createHash("sha1").update(key).digest().readUInt32BE(0) % LOCK_FILES;
    for (;;) {
      const claim = await claimStore(`${url}.locks/${file}`);
      if (claim) return () => claim.release();
      await pause(signal);
    }
  };
}

function createPostgresLock(postgres: NonNullable<Store["postgres"]>): KeyedLock {
  return async (key, signal) => {
    const client = await postgres.connect();
    const end = () => client.end().catch(() => undefined);
    try {
      for (;;) {
        const { rows } = await client.query<{ free: boolean }>(
          "select pg_try_advisory_lock(hashtextextended($1, 0)) as free",
          [`colloquy ${key}`],
        );
        // The end of the connection releases it.
        if (rows[0]?.free) return end;
        await pause(signal);
      }
    } catch (error) {
      await end();
      throw error;
    }
  };
}

async function pause(signal: AbortSignal | undefined): Promise<void> {
  await setTimeout(TRY_EVERY_MS, undefined, { ...(signal && { signal }) }).catch(() =>
    signal?.throwIfAborted(),
  );
}

import { createHash } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { claimStore } from "./claim.ts";
import type { Store } from "./store.ts";

/**
 * Locks the record with this key for this process and returns a function that releases the lock. Waits while another
 * process has it; rejects with the signal's reason if the signal aborts first. The lock of a process that dies is released.
 */
export type KeyedLock = (key: string, signal?: AbortSignal) => Promise<() => Promise<void>>;

/** The number of lock files. A file for each conversation would remain for every conversation there ever was. */
const LOCK_FILES = 256;

/** How often to try a lock again, in ms. */
const TRY_EVERY_MS = 50;

/**
 * Creates the lock for processes that work on the same conversations without sharing a queue, such as several terminals.
 * `url` is that of the store.
 */
export function createKeyedLock(store: Store, url: string): KeyedLock {
  if (store.postgres) return createPostgresLock(store.postgres);
  // Memory belongs to one process, and within a process the queue runs one turn at a time.
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
    const { queryOn, tryLock } = await import("../postgres/advisory-locks.ts");
    const client = await postgres.connect();
    const end = () => client.end().catch(() => undefined);
    try {
      for (;;) {
        // The lock is released when the connection ends.
        if (await tryLock(queryOn(client), { record: key })) return end;
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

import { setTimeout as sleep } from "node:timers/promises";
import { makeWorkerUtils, type WorkerUtils } from "graphile-worker";
import { describeError } from "../../errors.ts";
import type { ChatEvent } from "../../event.ts";
import type { Log } from "../../log.ts";
import type { Postgres } from "../../postgres/pool.ts";
import type { ClusterSession } from "../../postgres/session.ts";
import type { DeadLetters } from "../dead.ts";
import { WORKERS } from "../retry-policy.ts";

export interface MaintenanceOptions {
  readonly db: Postgres;
  readonly session: ClusterSession;
  readonly dead: DeadLetters;
  /** Stores an event in the queue again; returns false if it is already there. */
  readonly takeBack: (event: ChatEvent) => Promise<boolean>;
  /** How long a worker may be without a connection before it counts as dead, in ms. */
  readonly goneMs: number;
  readonly log: Log;
}

/** How often to check for dead workers, in ms, at most. */
const MAX_UNLOCK_EVERY_MS = 1_000;
/** How often to check for dead letters to retry, in ms. */
const TAKE_BACK_EVERY_MS = 2_000;
/** How often to remove the rows of conversations without work, in ms; workers read them whenever they look for work. */
const CLEAN_UP_EVERY_MS = 10_000;

/** How long `stop()` waits for a running task, in ms. */
const STOP_TIMEOUT_MS = 2_000;

/** The lock of the process that does the maintenance. Processes of other versions use the same name. */
const LOCK = { group: "housekeepers", name: "queue" };

/** Starts the maintenance of the queue. One process does it for all, as long as it has the lock. */
export function startMaintenance(options: MaintenanceOptions): { stop(): Promise<void> } {
  const { session, db, dead, log } = options;
  let running: { stop: AbortController; ended: Promise<void> } | undefined;
  const lock = session.lock({
    ...LOCK,
    gained: () => {
      const stop = new AbortController();
      running = { stop, ended: run(stop.signal) };
    },
    lost: () => running?.stop.abort(),
  });

  return {
    stop: async () => {
      running?.stop.abort();
      // The database may be unreachable.
      await Promise.race([running?.ended, sleep(STOP_TIMEOUT_MS, undefined, { ref: false })]);
      await lock.release();
    },
  };

  async function run(signal: AbortSignal): Promise<void> {
    const pool = db.openSeparatePool(1);
    let made: Promise<WorkerUtils> | undefined;
    const utils = () => {
      made ??= makeWorkerUtils({ pgPool: pool.pool });
      made.catch(() => (made = undefined));
      return made;
    };
    const missingSince = new Map<string, number>();
    const unlockEveryMs = Math.min(MAX_UNLOCK_EVERY_MS, options.goneMs / 3);
    await Promise.all([
      repeat(unlockEveryMs, () => unlockDeadWorkers(missingSince, utils), signal),
      repeat(TAKE_BACK_EVERY_MS, takeBack, signal),
      repeat(CLEAN_UP_EVERY_MS, () => cleanUp(utils), signal),
    ]);
    await made?.then((one) => one.release()).catch(() => undefined);
    await pool.end();
  }

  async function repeat(everyMs: number, task: () => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await task().catch((error: unknown) =>
        log.warn(`maintenance of the queue failed, retrying: ${describeError(error)}`),
      );
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Frees the jobs of dead workers. graphile-worker itself would wait for four hours. */
  async function unlockDeadWorkers(
    missingSince: Map<string, number>,
    utils: () => Promise<WorkerUtils>,
  ): Promise<void> {
    const rows = await db.query<{ worker: string }>(
      "select distinct locked_by as worker from graphile_worker.jobs where locked_by is not null",
    );
    const missing = await session.findUnlocked(
      WORKERS,
      rows.map(({ worker }) => worker),
    );
    for (const worker of missingSince.keys()) if (!missing.includes(worker)) missingSince.delete(worker);
    const now = Date.now();
    for (const worker of missing) missingSince.set(worker, missingSince.get(worker) ?? now);
    const dead = missing.filter((worker) => now - (missingSince.get(worker) ?? now) >= options.goneMs);
    if (dead.length === 0) return;
    log.warn({ workers: dead }, "workers have died: other processes continue their work");
    await (await utils()).forceUnlockWorkers(dead);
  }

  async function takeBack(): Promise<void> {
    for (const event of await dead.retryRequested()) {
      // With its original time, it would be too old to be answered. A letter that is still in the queue stays in the list.
      if (!(await options.takeBack({ ...event, at: Date.now() }))) continue;
      await dead.drop(event.id);
      log.info({ event: event.id }, "retrying a dead letter");
    }
  }

  /**
   * Removes the rows of graphile-worker for conversations without work. No event may be pushed meanwhile: if its row were
   * removed at that moment, two workers could work on the conversation at once.
   */
  async function cleanUp(utils: () => Promise<WorkerUtils>): Promise<void> {
    const worker = await utils();
    const client = await db.connect();
    try {
      await client.query("begin; set local lock_timeout = '2s'; lock table colloquy.inbox in share mode");
      await worker.cleanup({ tasks: ["GC_JOB_QUEUES", "DELETE_PERMAFAILED_JOBS"] });
      await client.query("commit");
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

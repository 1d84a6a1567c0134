import { setTimeout as sleep } from "node:timers/promises";
import { makeWorkerUtils, type WorkerUtils } from "graphile-worker";
import { describeError } from "../../errors.ts";
import type { ChatEvent } from "../../event.ts";
import type { Log } from "../../log.ts";
import type { Postgres } from "../../postgres/pool.ts";
import type { Session } from "../../postgres/session.ts";
import type { DeadLetters } from "../dead.ts";
import { WORKERS } from "../retry-policy.ts";

export interface HousekeepingOptions {
  readonly db: Postgres;
  readonly session: Session;
  readonly dead: DeadLetters;
  /** Takes an event in again; false if it is in the queue already. */
  readonly takeBack: (event: ChatEvent) => Promise<boolean>;
  /** After so many ms without a connection a worker counts as dead. */
  readonly goneMs: number;
  readonly log: Log;
}

/** How often it is looked for dead workers, in ms, at most. */
const LOOK_EVERY_MS = 1_000;
/** How often it is looked for dead letters that someone wants tried once more, in ms. */
const TAKE_BACK_EVERY_MS = 2_000;
/** How often what was left of conversations without work is swept away, in ms: whoever looks for work looks at it. */
const SWEEP_EVERY_MS = 10_000;

/** So long the end waits for what is just being done, in ms. */
const GOODBYE_MS = 2_000;

/** What one process does for all, as long as it has the lock for it. */
export function keepHouse(options: HousekeepingOptions): { stop(): Promise<void> } {
  const { session, db, dead, log } = options;
  let keeping: { stop: AbortController; ended: Promise<void> } | undefined;
  const lock = session.lock({
    group: "housekeepers",
    name: "queue",
    gained: () => {
      const stop = new AbortController();
      keeping = { stop, ended: keep(stop.signal) };
    },
    lost: () => keeping?.stop.abort(),
  });

  return {
    stop: async () => {
      keeping?.stop.abort();
      // A database that is out of reach is not waited for.
      await Promise.race([keeping?.ended, sleep(GOODBYE_MS, undefined, { ref: false })]);
      await lock.release();
    },
  };

  async function keep(signal: AbortSignal): Promise<void> {
    const spare = db.openSeparatePool(1);
    let made: Promise<WorkerUtils> | undefined;
    const utils = () => {
      made ??= makeWorkerUtils({ pgPool: spare.pool });
      made.catch(() => (made = undefined));
      return made;
    };
    const missing = new Map<string, number>();
    const jobs = [
      every(Math.min(LOOK_EVERY_MS, options.goneMs / 3), () => unlockDead(missing, utils), signal),
      every(TAKE_BACK_EVERY_MS, takeBack, signal),
      every(SWEEP_EVERY_MS, () => sweep(utils), signal),
    ];
    await Promise.all(jobs);
    await made?.then((one) => one.release()).catch(() => undefined);
    await spare.end();
  }

  async function every(ms: number, job: () => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await job().catch((error: unknown) => log.warn(`housekeeping of the queue: ${describeError(error)}`));
      await sleep(ms, undefined, { signal }).catch(() => undefined);
    }
  }

  /** graphile-worker itself waits for four hours. */
  async function unlockDead(missing: Map<string, number>, utils: () => Promise<WorkerUtils>): Promise<void> {
    const rows = await db.query<{ worker: string }>(
      "select distinct locked_by as worker from graphile_worker.jobs where locked_by is not null",
    );
    const gone = await session.findUnlocked(
      WORKERS,
      rows.map(({ worker }) => worker),
    );
    for (const worker of missing.keys()) if (!gone.includes(worker)) missing.delete(worker);
    const now = Date.now();
    for (const worker of gone) missing.set(worker, missing.get(worker) ?? now);
    const dead = gone.filter((worker) => now - (missing.get(worker) ?? now) >= options.goneMs);
    if (dead.length === 0) return;
    log.warn({ workers: dead }, "workers are gone: others go on with what they had");
    await (await utils()).forceUnlockWorkers(dead);
  }

  async function takeBack(): Promise<void> {
    for (const event of await dead.wanted()) {
      // Asked anew: as old as it was it would get no answer. One that is still on its way into the list stays there.
      if (!(await options.takeBack({ ...event, at: Date.now() }))) continue;
      await dead.drop(event.id);
      log.info({ event: event.id }, "a dead letter is tried once more");
    }
  }

  /** Nobody pushes meanwhile: a name that is swept away just then would be missed, and its conversation not be alone. */
  async function sweep(utils: () => Promise<WorkerUtils>): Promise<void> {
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

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { describeError } from "../errors.ts";
import type { Log } from "../log.ts";
import { countLocks, findUnlocked, tryLock, unlock } from "./advisory-locks.ts";
import type { Postgres } from "./pool.ts";
import { createSubscriptions } from "./subscriptions.ts";

/**
 * Connects the processes that share a database: locks that one process holds at a time, and messages between all of
 * them. A session has one connection. When the connection ends, PostgreSQL releases all its locks, and so the other
 * processes notice that a process is gone.
 */
export interface ClusterSession {
  /**
   * Requests a lock, which only one process holds at a time, and keeps trying until the lock is released. Each `gained`
   * is followed by a `lost`, unless the lock is released.
   */
  lock(request: LockRequest): Lock;
  /** The number of locks of this group that all processes hold, at most a second old; undefined if not known yet. */
  countLocks(group: string): number | undefined;
  /** Returns the names in a group whose locks no process holds at the moment. */
  findUnlocked(group: string, names: readonly string[]): Promise<string[]>;
  /** Sends a message to all other processes. A process that is not connected at the moment does not receive it. */
  publish(topic: string, message: object): Promise<void>;
  /** Receives the messages of other processes. `missed` is called whenever messages may have been lost. */
  subscribe(topic: string, receive: (message: unknown) => void, missed?: () => void): void;
  /** Whether the connection is known to work. */
  alive(): boolean;
  close(): Promise<void>;
}

/** A lock to request, and what to call when it is gained or lost. */
export interface LockRequest {
  /** Groups locks of the same kind, such as those of all workers. */
  readonly group: string;
  readonly name: string;
  readonly gained?: () => void;
  readonly lost?: () => void;
}

/** A requested lock. */
export interface Lock {
  readonly held: boolean;
  /** Resolves after the first attempt to acquire it. */
  readonly tried: Promise<void>;
  /** Releases the lock, or stops trying to acquire it. */
  release(): Promise<void>;
}

/** How often to check the connection and to try the locks that other processes hold, in ms. */
const TICK_MS = 1_000;

/** A connection that does not answer within this time, in ms, is dropped. */
const ANSWER_MS = 3_000;

/** How long `close()` waits for the server, in ms. A server that cannot be reached does not answer. */
const CLOSE_TIMEOUT_MS = 1_000;

/** A connection whose last answer is older than this, in ms, may be broken even if no error was reported. */
const ALIVE_MS = TICK_MS + ANSWER_MS;

/** Makes PostgreSQL notice within about 5 s that a machine is gone. By default it takes two hours. */
const KEEP_ALIVE =
  "set tcp_keepalives_idle = 2; set tcp_keepalives_interval = 1; set tcp_keepalives_count = 3";

const CHANNEL = "colloquy";

/** A lock request and whether this session holds the lock. */
interface LockState extends LockRequest {
  held: boolean;
}

/**
 * Opens a session. It connects in the background and reconnects whenever the connection is lost. `tickMs` is a second by
 * default.
 */
export function openSession(db: Postgres, log: Log, tickMs = TICK_MS): ClusterSession {
  const locks = new Set<LockState>();
  /** The number of locks in each group that was asked for. */
  const counts = new Map<string, number | undefined>();
  const closing = new AbortController();
  const id = randomUUID();
  const subscriptions = createSubscriptions(id);
  let client: pg.Client | undefined;
  let answeredAt = 0;
  /** Actions run one after the other: a tick must not undo what a release has just done. */
  let lastAction: Promise<unknown> = Promise.resolve();
  const ticking = run();

  return {
    lock: (request) => {
      const lock: LockState = { ...request, held: false };
      locks.add(lock);
      const tried = enqueue(() => acquire([lock]));
      return {
        get held() {
          return lock.held;
        },
        tried,
        release: async () => {
          locks.delete(lock);
          await enqueue(() => release(lock));
        },
      };
    },
    countLocks: (group) => {
      if (!counts.has(group)) counts.set(group, undefined);
      return counts.get(group);
    },
    findUnlocked: (group, names) => findUnlocked((sql, values) => db.query(sql, values), group, names),
    publish: async (topic, message) => {
      await db.query("select pg_notify($1, $2)", [CHANNEL, subscriptions.encode(topic, message)]);
    },
    subscribe: (topic, receive, missed) => subscriptions.subscribe(topic, receive, missed),
    alive: () => client !== undefined && Date.now() - answeredAt < ALIVE_MS,
    close: async () => {
      closing.abort();
      await ticking;
      await lastAction;
      const last = client;
      client = undefined;
      await Promise.race([
        last?.end().catch(() => undefined),
        sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false }),
      ]);
    },
  };

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      await enqueue(client ? tick : connect);
      await sleep(tickMs, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  }

  function enqueue(action: () => Promise<void>): Promise<void> {
    const done = lastAction.then(action).catch(drop);
    lastAction = done;
    return done;
  }

  async function connect(): Promise<void> {
    const opened = await db.connect();
    opened.on("end", () => {
      if (client === opened) drop(new Error("the connection was closed"));
    });
    opened.on("notification", ({ payload = "" }) => subscriptions.dispatch(payload));
    client = opened;
    try {
      await query(KEEP_ALIVE);
      await query(`listen ${CHANNEL}`);
      await acquire([...locks]);
      await tick();
    } catch (error) {
      drop(error);
      return;
    }
    subscriptions.notifyMissed();
  }

  /** Checks that the connection works, tries the locks that are not held yet, and updates the counts. */
  async function tick(): Promise<void> {
    await acquire([...locks].filter(({ held }) => !held));
    for (const { group, count } of await countLocks(query, [...counts.keys()])) counts.set(group, count);
  }

  async function acquire(requested: readonly LockState[]): Promise<void> {
    for (const lock of requested) {
      if (lock.held || !client || !locks.has(lock)) continue;
      if (!(await tryLock(query, lock))) continue;
      lock.held = true;
      lock.gained?.();
    }
  }

  async function release(lock: LockState): Promise<void> {
    if (!lock.held) return;
    lock.held = false;
    if (client) await unlock(query, lock);
  }

  async function query<Row extends object>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    if (!client) throw new Error("there is no connection to PostgreSQL");
    const config = { text: sql, query_timeout: ANSWER_MS, ...(values.length > 0 && { values: [...values] }) };
    const { rows } = await client.query<Row>(config);
    answeredAt = Date.now();
    return rows;
  }

  /** Drops the connection, and with it all locks. */
  function drop(error: unknown): void {
    const dropped = client;
    client = undefined;
    if (!dropped) return;
    // Not with end(), which waits for a server that may not answer any more.
    (dropped as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    if (closing.signal.aborted) return;
    log.warn(`lost the session with PostgreSQL, reconnecting: ${describeError(error)}`);
    for (const lock of locks) {
      if (!lock.held) continue;
      lock.held = false;
      lock.lost?.();
    }
  }
}

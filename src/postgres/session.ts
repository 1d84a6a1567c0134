import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { describeError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Postgres } from "./pool.ts";

/**
 * What the processes on one database tell each other, and know of each other. It lives on one connection, with which
 * all its locks end: that is how PostgreSQL itself says that a process is gone.
 */
export interface Session {
  /**
   * Asks for a lock, time and again until it is released; only one process has it at a time. `lost` follows each
   * `gained`, but for the lock's release.
   */
  lock(lock: Wanted): Lock;
  /** So many locks of this group are held by all processes together, as of a second ago; undefined if that is not known. */
  held(group: string): number | undefined;
  /** Those of these locks that nobody holds right now. */
  unheld(group: string, names: readonly string[]): Promise<string[]>;
  /** Tells all other processes. What is told while a process has no connection does not reach it. */
  tell(topic: string, what: object): Promise<void>;
  /** Hears what is told; `missed` is called whenever something may not have been heard. */
  hear(topic: string, heard: (what: unknown) => void, missed?: () => void): void;
  /** Whether the connection is known to live. */
  alive(): boolean;
  close(): Promise<void>;
}

/** A lock and what follows from it. */
export interface Wanted {
  /** Locks of the same kind, such as those of all workers. */
  readonly group: string;
  readonly name: string;
  readonly gained?: () => void;
  readonly lost?: () => void;
}

/** A lock that was asked for. */
export interface Lock {
  readonly held: boolean;
  /** Resolves once it was asked for the first time. */
  readonly asked: Promise<void>;
  /** Lets it go, or asks no more. */
  release(): Promise<void>;
}

/** How often the connection is tried, and locks that somebody else has are asked for, in ms. */
const TICK_MS = 1_000;

/** A connection that does not answer within so many ms is given up. */
const ANSWER_MS = 3_000;

/** A server that is out of reach does not say goodbye: so long, in ms, is waited for it at the end. */
const GOODBYE_MS = 1_000;

/** A connection that has not answered for so long, in ms, may be lost though nothing was heard of it. */
const ALIVE_MS = TICK_MS + ANSWER_MS;

/** PostgreSQL finds within some 5 s that a machine has vanished; left to itself it takes two hours. */
const VANISHED = "set tcp_keepalives_idle = 2; set tcp_keepalives_interval = 1; set tcp_keepalives_count = 3";

const CHANNEL = "colloquy";

/** One session's own state of a lock. */
interface Asked extends Wanted {
  held: boolean;
}

/** Opens the session; it connects in the background, and again whenever its connection is lost. `tickMs`: a second if absent. */
export function openSession(db: Postgres, log: Log, tickMs = TICK_MS): Session {
  const locks = new Set<Asked>();
  const ears = new Map<string, { heard: (what: unknown) => void; missed: (() => void) | undefined }[]>();
  /** Of the groups that somebody has asked for. */
  const counts = new Map<string, number | undefined>();
  const closing = new AbortController();
  const id = randomUUID();
  let client: pg.Client | undefined;
  let answeredAt = 0;
  /** One after the other: a tick must not undo what a release has just done. */
  let turn: Promise<unknown> = Promise.resolve();
  const ticking = run();

  return {
    lock: (wanted) => {
      const asked: Asked = { ...wanted, held: false };
      locks.add(asked);
      const first = next(() => ask([asked]));
      return {
        get held() {
          return asked.held;
        },
        asked: first,
        release: async () => {
          locks.delete(asked);
          await next(() => letGo(asked));
        },
      };
    },
    held: (group) => {
      if (!counts.has(group)) counts.set(group, undefined);
      return counts.get(group);
    },
    unheld: async (group, names) => {
      const rows = await db.query<{ name: string }>(
        `select name from unnest($2::text[]) name where not exists (
           select 1 from pg_locks l
           where l.locktype = 'advisory' and l.objsubid = 2 and l.granted
             and l.database = (select oid from pg_database where datname = current_database())
             and l.classid = hashtext($1)::oid and l.objid = hashtext(name)::oid)`,
        [group, names],
      );
      return rows.map(({ name }) => name);
    },
    tell: async (topic, what) => {
      await db.query("select pg_notify($1, $2)", [CHANNEL, JSON.stringify({ topic, what, from: id })]);
    },
    hear: (topic, heard, missed) => {
      ears.set(topic, [...(ears.get(topic) ?? []), { heard, missed }]);
    },
    alive: () => client !== undefined && Date.now() - answeredAt < ALIVE_MS,
    close: async () => {
      closing.abort();
      await ticking;
      await turn;
      const last = client;
      client = undefined;
      await Promise.race([last?.end().catch(() => undefined), sleep(GOODBYE_MS, undefined, { ref: false })]);
    },
  };

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      await next(client ? look : connect);
      await sleep(tickMs, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  }

  function next(action: () => Promise<void>): Promise<void> {
    const done = turn.then(action).catch(drop);
    turn = done;
    return done;
  }

  async function connect(): Promise<void> {
    const opened = await db.connect();
    opened.on("end", () => {
      if (client === opened) drop(new Error("the connection has ended"));
    });
    opened.on("notification", ({ payload = "" }) => hear(payload));
    client = opened;
    try {
      await query(VANISHED);
      await query(`listen ${CHANNEL}`);
      await ask([...locks]);
      await look();
    } catch (error) {
      drop(error);
      return;
    }
    for (const { missed } of [...ears.values()].flat()) missed?.();
  }

  /** Shows that the connection lives, and asks for what is not held yet. */
  async function look(): Promise<void> {
    await ask([...locks].filter(({ held }) => !held));
    const rows = await query<{ group: string; count: number }>(
      `select name as group, (
         select count(*)::int from pg_locks l
         where l.locktype = 'advisory' and l.objsubid = 2 and l.granted and l.classid = hashtext(name)::oid
           and l.database = (select oid from pg_database where datname = current_database())
       ) as count from unnest($1::text[]) name`,
      [[...counts.keys()]],
    );
    for (const { group, count } of rows) counts.set(group, count);
  }

  async function ask(wanted: readonly Asked[]): Promise<void> {
    for (const lock of wanted) {
      if (lock.held || !client || !locks.has(lock)) continue;
      const [row] = await query<{ got: boolean }>(
        "select pg_try_advisory_lock(hashtext($1), hashtext($2)) as got",
        [lock.group, lock.name],
      );
      if (!row?.got) continue;
      lock.held = true;
      lock.gained?.();
    }
  }

  async function letGo(lock: Asked): Promise<void> {
    if (!lock.held) return;
    lock.held = false;
    if (client) await query("select pg_advisory_unlock(hashtext($1), hashtext($2))", [lock.group, lock.name]);
  }

  async function query<Row extends object>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    if (!client) throw new Error("there is no connection");
    const config = { text: sql, query_timeout: ANSWER_MS, ...(values.length > 0 && { values: [...values] }) };
    const { rows } = await client.query<Row>(config);
    answeredAt = Date.now();
    return rows;
  }

  /** All locks are gone with the connection. */
  function drop(error: unknown): void {
    const dropped = client;
    client = undefined;
    if (!dropped) return;
    // Not in order: PostgreSQL may not answer any more.
    (dropped as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    if (closing.signal.aborted) return;
    log.warn(`the session with PostgreSQL is lost, and opened anew: ${describeError(error)}`);
    for (const lock of locks) {
      if (!lock.held) continue;
      lock.held = false;
      lock.lost?.();
    }
  }

  function hear(payload: string): void {
    let told: { topic?: unknown; what?: unknown; from?: unknown };
    try {
      told = JSON.parse(payload) as typeof told;
    } catch {
      return;
    }
    if (told.from === id) return;
    for (const { heard } of ears.get(String(told.topic)) ?? []) heard(told.what);
  }
}

import { createHash } from "node:crypto";
import { Overflow } from "../../errors.ts";
import type { ChatEvent } from "../../event.ts";
import type { Postgres } from "../../postgres/pool.ts";
import { readEntry, writeEntry } from "../entry.ts";
import { MAX_WAITING, type QueueLoad } from "../queue.ts";

/** The table of events that wait for an answer. Whatever is written wakes a worker in the same statement. */
export interface Inbox {
  /** False if the event is there already; rejects with an `Overflow` if its conversation is full. */
  push(event: ChatEvent, about: { conversation: string; interrupts: boolean }): Promise<boolean>;
  /** The first event of a conversation, counted as begun unless a process may have died with it; undefined if there is none. */
  take(conversation: string): Promise<Taken | undefined>;
  /** Leaves it for another time; `failed` if it was begun. */
  giveBack(taken: Taken, options: { attempts: number; pauseMs: number; failed: boolean }): Promise<void>;
  /** Whether there is something else that processes have died with less often, but at least once. */
  hasSafer(taken: Taken, deaths: number): Promise<boolean>;
  /** As often as this was it begun. */
  count(taken: Taken, attempts: number): Promise<void>;
  remove(taken: Taken): Promise<void>;
  /** Out of the way of those behind it, for the eyes of people. */
  setAside(taken: Taken): Promise<void>;
  /** Somebody shall look whether there is more to be done in a conversation. */
  wake(conversation: string): Promise<void>;
  /** Those of these events that somebody has stopped. */
  interrupted(numbers: readonly number[]): Promise<number[]>;
  /** So many events wait. */
  depth(): Promise<number>;
  /** The same, with the one that waits longest. */
  load(): Promise<QueueLoad>;
}

/** An event in hand. */
export interface Taken {
  readonly conversation: string;
  readonly number: number;
  readonly id: string;
  /** Somebody has stopped it. */
  readonly interrupted: boolean;
  /** How often it was begun, this time too, but for the times that were no fault of it. */
  readonly attempts: number;
  /** How often it was given back after it had begun. */
  readonly failures: number;
  /** Undefined if it makes no sense; throws a `StoreError` if a newer program has written it. */
  event(): ChatEvent | undefined;
}

/** The task of the workers; its payload is `{ conversation }`. */
export const TASK = "colloquy";

/** What is told to all processes when somebody stops what they have asked. */
export const INTERRUPT = "interrupt";

/**
 * Wakes a worker for a conversation: one job, whatever its number of events, in a queue of its own. So no two
 * workers have one conversation, and the order is that of the table. graphile-worker takes names of 128 characters.
 * A job that is being worked on is followed by another; one that waits for its time goes on waiting.
 */
const WAKE = `graphile_worker.add_job('${TASK}', json_build_object('conversation', $1::text), queue_name := $2,
  max_attempts := 32767, job_key := $2`;

/** $1 conversation, $2 its lane, $3 id, $4 entry, $5 the entry in its place if it is too much, $6 interrupts, $7 most. */
const PUSH = `
  with waiting as (
    select count(*)::int as count, coalesce(bool_or(overflow and attempts = 0), false) as closing,
      coalesce(bool_or(id = $3), false) as known
    from colloquy.inbox where conversation = $1
  ), judged as (
    select *, case when known then 'known' when (not closing or $6) and count < $7 then 'stored' else 'full' end as verdict
    from waiting
  ), stored as (
    insert into colloquy.inbox (id, conversation, entry, overflow)
    select case verdict when 'stored' then $3 else $3 || '#overflow' end, $1,
      case verdict when 'stored' then $4 else $5 end, verdict = 'full'
    from judged where verdict = 'stored' or (verdict = 'full' and not closing)
    on conflict (id) do nothing returning number, overflow
  ), stopped as (
    update colloquy.inbox set interrupted = true
    where $6 and conversation = $1 and exists (select 1 from stored where not overflow) returning number
  ), woken as (
    select ${WAKE}, job_key_mode := 'preserve_run_at') from stored
  ), told as (
    select pg_notify('colloquy', json_build_object('topic', '${INTERRUPT}', 'what',
      json_build_object('conversation', $1::text, 'before', number))::text)
    from stored where $6 and not overflow
  )
  select verdict, count, (select count(*) from woken), (select count(*) from told) from judged`;

/** $1 conversation. What a process may have died with is counted only once it begins. */
const TAKE = `
  update colloquy.inbox i set attempts = first.attempts + (first.attempts <= first.failures)::int
  from (
    select number, attempts, failures from colloquy.inbox where conversation = $1 order by number limit 1
  ) first
  where i.number = first.number
  returning i.number::float8 as number, id, entry, interrupted, first.attempts + 1 as attempts, first.failures`;

/** $1 number, $2 deaths. What is in hand has one death as long as it is: it was begun and has not ended. */
const HAS_SAFER = `
  select exists (select 1 from colloquy.inbox where number <> $1 and attempts - failures between 1 and $2 - 1) as found`;

/** $1 conversation, $2 its lane, $3 number, $4 attempts, $5 pause in ms, $6 1 if it has failed. */
const GIVE_BACK = `
  with back as (
    update colloquy.inbox set attempts = $4, failures = failures + $6 where number = $3 returning 1
  )
  select ${WAKE}, run_at := now() + $5 * interval '1 ms') from back`;

/** Opens the inbox of a database. */
export function openInbox(db: Postgres): Inbox {
  return {
    push: async (event, { conversation, interrupts }) => {
      const overflow = { ...event, id: `${event.id}#overflow`, overflow: true as const };
      const [row] = await db.query<{ verdict: string; count: number }>(PUSH, [
        conversation,
        laneOf(conversation),
        idOf(event.id),
        written(event),
        written(overflow),
        interrupts,
        MAX_WAITING.conversation * (interrupts ? 2 : 1),
      ]);
      if (row?.verdict === "full")
        throw new Overflow(true, `${row.count} messages of ${conversation} wait for an answer already`);
      return row?.verdict === "stored";
    },
    take: async (conversation) => {
      const [row] = await db.query<Omit<Taken, "event" | "conversation"> & { entry: string }>(TAKE, [
        conversation,
      ]);
      if (!row) return undefined;
      const { entry, ...taken } = row;
      return { ...taken, conversation, event: () => readEntry(taken.id, parse(entry))?.event };
    },
    giveBack: async ({ conversation, number }, { attempts, pauseMs, failed }) => {
      const pause = Math.round(pauseMs);
      await db.query(GIVE_BACK, [
        conversation,
        laneOf(conversation),
        number,
        attempts,
        pause,
        Number(failed),
      ]);
    },
    hasSafer: async ({ number }, deaths) => {
      const [row] = await db.query<{ found: boolean }>(HAS_SAFER, [number, deaths]);
      return row?.found ?? false;
    },
    count: async ({ number }, attempts) => {
      await db.query("update colloquy.inbox set attempts = $2 where number = $1", [number, attempts]);
    },
    remove: async ({ number }) => {
      await db.query("delete from colloquy.inbox where number = $1", [number]);
    },
    setAside: async ({ number, conversation }) => {
      await db.query("update colloquy.inbox set conversation = $2 where number = $1", [
        number,
        `set aside: ${conversation}`,
      ]);
    },
    wake: async (conversation) => {
      await db.query(`select ${WAKE})`, [conversation, laneOf(conversation)]);
    },
    interrupted: async (numbers) => {
      const rows = await db.query<{ number: number }>(
        "select number::float8 as number from colloquy.inbox where interrupted and number = any($1)",
        [numbers],
      );
      return rows.map(({ number }) => number);
    },
    depth: async () => {
      const [row] = await db.query<{ count: number }>("select count(*)::int as count from colloquy.inbox");
      return row?.count ?? 0;
    },
    load: async () => {
      const [row] = await db.query<{ count: number; id: string | null; entry: string | null }>(
        `select (select count(*)::int from colloquy.inbox) as count, first.id, first.entry
         from (select 1) one left join (select id, entry from colloquy.inbox order by number limit 1) first on true`,
      );
      const oldest = row?.entry && readEntry(row.id ?? "", JSON.parse(row.entry));
      return { events: row?.count ?? 0, ...(oldest && { oldestAt: oldest.event.at }) };
    },
  };
}

/** PostgreSQL's text cannot hold the character of code 0; the event in the entry keeps its own id. */
export function idOf(id: string): string {
  return id.replaceAll("\0", "\uFFFD");
}

/** The conversation's name among the jobs. */
function laneOf(conversation: string): string {
  return createHash("sha256").update(conversation).digest("base64url");
}

/** The number comes from the table. */
function written(event: ChatEvent): string {
  return JSON.stringify(writeEntry({ number: 0, event, attempts: 0 }));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

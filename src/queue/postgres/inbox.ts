import { createHash } from "node:crypto";
import type { ChatEvent } from "../../event.ts";
import type { Postgres } from "../../postgres/pool.ts";
import { readEntry, writeEntry } from "../entry.ts";
import { conversationIsFull } from "../overflow.ts";
import { MAX_WAITING, type QueueLoad } from "../queue.ts";
import { GIVE_BACK, HAS_SAFER, PUSH, TAKE, WAKE } from "./statements.ts";

/** The table of events that wait for an answer. Each write also wakes a worker, in the same statement. */
export interface Inbox {
  /** Stores an event. Returns false if it is already there; rejects with an `Overflow` if its conversation is full. */
  push(event: ChatEvent, about: { conversation: string; interrupts: boolean }): Promise<boolean>;
  /**
   * Takes the first event of a conversation. The attempt is counted, unless a process may have died with the event.
   * Returns undefined if there is no event.
   */
  take(conversation: string): Promise<TakenEvent | undefined>;
  /** Gives an event back to be tried again after a pause. `failed` is set if it was begun. */
  giveBack(taken: TakenEvent, options: { attempts: number; pauseMs: number; failed: boolean }): Promise<void>;
  /** Whether another event has fewer deaths than this, but at least one. */
  hasSafer(taken: TakenEvent, deaths: number): Promise<boolean>;
  /** Sets the number of attempts. */
  count(taken: TakenEvent, attempts: number): Promise<void>;
  remove(taken: TakenEvent): Promise<void>;
  /** Moves an invalid event out of its conversation, so that the others continue; operators can look at it there. */
  setAside(taken: TakenEvent): Promise<void>;
  /** Makes a worker check a conversation for more events. */
  wake(conversation: string): Promise<void>;
  /** Returns those of these events that the user has stopped. */
  interrupted(numbers: readonly number[]): Promise<number[]>;
  /** Counts the waiting events. */
  depth(): Promise<number>;
  /** Counts the waiting events and finds the oldest. */
  load(): Promise<QueueLoad>;
}

/** An event that was taken to be answered. */
export interface TakenEvent {
  readonly conversation: string;
  readonly number: number;
  readonly id: string;
  /** Whether the user has stopped it. */
  readonly interrupted: boolean;
  /** The number of attempts, including this one, without failures that it did not cause. */
  readonly attempts: number;
  /** How often it was given back after it was begun. */
  readonly failures: number;
  /** Reads the event. Returns undefined if it is invalid; throws a `StoreError` if a newer program wrote it. */
  event(): ChatEvent | undefined;
}

/** Opens the inbox of a database. */
export function openInbox(db: Postgres): Inbox {
  return {
    push: async (event, { conversation, interrupts }) => {
      const overflow = { ...event, id: `${event.id}#overflow`, overflow: true as const };
      const [row] = await db.query<{ verdict: string; count: number }>(PUSH, [
        conversation,
        jobKeyOf(conversation),
        eventIdOf(event.id),
        entryOf(event),
        entryOf(overflow),
        interrupts,
        MAX_WAITING.conversation * (interrupts ? 2 : 1),
      ]);
      if (row?.verdict === "full") throw conversationIsFull(conversation, row.count);
      return row?.verdict === "stored";
    },
    take: async (conversation) => {
      const [row] = await db.query<Omit<TakenEvent, "event" | "conversation"> & { entry: string }>(TAKE, [
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
        jobKeyOf(conversation),
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
      await db.query(`select ${WAKE})`, [conversation, jobKeyOf(conversation)]);
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

/** Replaces U+0000, which text in PostgreSQL cannot contain. The event in the entry keeps its id. */
export function eventIdOf(id: string): string {
  return id.replaceAll("\0", "\uFFFD");
}

/** The name of the conversation's job and of its queue. */
function jobKeyOf(conversation: string): string {
  return createHash("sha256").update(conversation).digest("base64url");
}

/** An event as it is stored. Its number comes from the table. */
function entryOf(event: ChatEvent): string {
  return JSON.stringify(writeEntry({ number: 0, event, attempts: 0 }));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

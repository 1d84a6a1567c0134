import { markStage } from "../../telemetry/stages.ts";
import { Overflow } from "../../errors.ts";
import type { ChatEvent } from "../../event.ts";
import type { Log } from "../../log.ts";
import type { Postgres } from "../../postgres/pool.ts";
import type { Session } from "../../postgres/session.ts";
import type { DeadLetters } from "../dead.ts";
import { keepHouse } from "./maintenance.ts";
import { INTERRUPT, openInbox } from "./inbox.ts";
import { MAX_WAITING, type Queue } from "../queue.ts";
import { beginShift, type Shift } from "./lease.ts";

export interface PostgresQueueOptions {
  readonly db: Postgres;
  readonly session: Session;
  /** Where events go that cannot be answered. */
  readonly dead: DeadLetters;
  /** The conversation of an event. */
  readonly keyOf: (event: ChatEvent) => string;
  /** Whether the event stops what the same conversation asked before it. */
  readonly interrupts: (event: ChatEvent) => boolean;
  /** So many events are worked on at once in this process. */
  readonly atOnce: number;
  /** How long `stop()` lets running work go on, in ms. */
  readonly graceMs: number;
  /** The pause after the first failure, in ms; each further one is twice as long, up to a minute. */
  readonly pauseMs: number;
  readonly log: Log;
  /** How often it is looked for conversations whose time has come, in ms; 500 if absent. */
  readonly pollMs?: number;
  /** After so many ms without a connection a worker counts as dead; 4000 if absent. */
  readonly goneMs?: number;
}

/**
 * A queue in PostgreSQL, for any number of processes. The events stand in a table of ours; which process works on a
 * conversation is the matter of graphile-worker, as long as the process lives (see `shift.ts`, `housekeeping.ts`).
 */
export function createPostgresQueue(options: PostgresQueueOptions): Queue {
  const { db, session, dead, keyOf, interrupts, log, pollMs = 500, goneMs = 4_000 } = options;
  const inbox = openInbox(db);
  const pushing = new Map<string, Promise<unknown>>();
  const depth = createDepth();
  let shift: Shift | undefined;
  let house: { stop(): Promise<void> } | undefined;

  session.subscribe(
    INTERRUPT,
    (what) => {
      const { conversation, before } = what as { conversation: string; before: number };
      shift?.interrupt(conversation, before);
    },
    () => shift?.catchUp(),
  );

  return {
    push: async (event) => {
      await push(event);
    },
    start: async (worker) => {
      shift = beginShift({ ...options, inbox, pollMs, goneMs, worker });
      house = keepHouse({ db, session, dead, takeBack: push, goneMs, log });
    },
    load: () => inbox.load(),
    stop: async () => {
      await Promise.all([shift?.end(), house?.stop()]);
      shift = undefined;
    },
  };

  /** What is pushed after the other is stored after the other, on whatever connection. */
  function push(event: ChatEvent): Promise<boolean> {
    const conversation = keyOf(event);
    const before = pushing.get(conversation) ?? Promise.resolve();
    const own = before
      .catch(() => undefined)
      .then(() => store(event, conversation))
      .finally(() => {
        if (pushing.get(conversation) === own) pushing.delete(conversation);
      });
    pushing.set(conversation, own);
    return own;
  }

  async function store(event: ChatEvent, conversation: string): Promise<boolean> {
    const times = interrupts(event) ? 2 : 1;
    const waiting = await depth();
    if (waiting >= MAX_WAITING.overall * times)
      throw new Overflow(false, `${waiting} messages wait for an answer already; more are taken in later`);
    markStage("received", event);
    const stored = await inbox.push(event, { conversation, interrupts: times > 1 });
    markStage("stored", event);
    return stored;
  }

  /** Looks at most once a second: a few more than `MAX_WAITING` do no harm. */
  function createDepth(): () => Promise<number> {
    let known = Promise.resolve(0);
    let at = 0;
    return () => {
      if (Date.now() - at > 1_000) {
        at = Date.now();
        known = inbox.depth();
        known.catch(() => (at = 0));
      }
      return known;
    };
  }
}

import { markStage } from "../../telemetry/stages.ts";
import type { ChatEvent } from "../../event.ts";
import type { Postgres } from "../../postgres/pool.ts";
import type { ClusterSession } from "../../postgres/session.ts";
import { queueIsFull } from "../overflow.ts";
import { startMaintenance } from "./maintenance.ts";
import { openInbox } from "./inbox.ts";
import { INTERRUPT } from "./statements.ts";
import type { CommonQueueOptions } from "../common-options.ts";
import { MAX_WAITING, type Queue } from "../queue.ts";
import { holdLease, type Lease } from "./lease.ts";

export interface PostgresQueueOptions extends CommonQueueOptions {
  readonly db: Postgres;
  readonly session: ClusterSession;
  /** How often to check for conversations that are due, in ms; 500 by default. */
  readonly pollMs?: number;
  /** How long a worker may be without a connection before it counts as dead, in ms; 4000 by default. */
  readonly goneMs?: number;
}

/**
 * Creates a queue in PostgreSQL, for any number of processes. The events are rows of our own table. graphile-worker decides
 * which process works on a conversation; `lease.ts` and `maintenance.ts` make sure that this process is alive.
 */
export function createPostgresQueue(options: PostgresQueueOptions): Queue {
  const { db, session, dead, keyOf, interrupts, log, pollMs = 500, goneMs = 4_000 } = options;
  const inbox = openInbox(db);
  const pushing = new Map<string, Promise<unknown>>();
  const depth = createDepth();
  let lease: Lease | undefined;
  let maintenance: { stop(): Promise<void> } | undefined;

  session.subscribe(
    INTERRUPT,
    (message) => {
      const { conversation, before } = message as { conversation: string; before: number };
      lease?.interrupt(conversation, before);
    },
    () => lease?.catchUp(),
  );

  return {
    push: async (event) => {
      await push(event);
    },
    start: async (worker) => {
      lease = holdLease({ ...options, inbox, pollMs, goneMs, worker });
      maintenance = startMaintenance({ db, session, dead, takeBack: push, goneMs, log });
    },
    load: () => inbox.load(),
    stop: async () => {
      await Promise.all([lease?.end(), maintenance?.stop()]);
      lease = undefined;
    },
  };

  /** Stores the events of a conversation one after the other, because statements may use different connections. */
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
    const factor = interrupts(event) ? 2 : 1;
    const waiting = await depth();
    if (waiting >= MAX_WAITING.overall * factor) throw queueIsFull(waiting);
    const stored = await inbox.push(event, { conversation, interrupts: factor > 1 });
    markStage("stored", event);
    return stored;
  }

  /** Counts the events at most once a second: a few more than `MAX_WAITING` do no harm. */
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

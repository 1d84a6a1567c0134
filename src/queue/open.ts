import { type ChatEvent, conversationKey } from "../event.ts";
import type { Log } from "../log.ts";
import type { ClusterSession } from "../postgres/session.ts";
import type { Store } from "../store/store.ts";
import { createValueStore } from "../store/values.ts";
import { openDeadLetters } from "./dead.ts";
import { createJournalQueue } from "./journal.ts";
import type { Queue } from "./queue.ts";

export interface QueueOptions {
  /** Where the events are stored. */
  readonly store: Store;
  /** The connection to the other processes, if the store is a database that they share. */
  readonly session: ClusterSession | undefined;
  /** The commands that stop earlier answers, by name. */
  readonly interrupting: ReadonlySet<string>;
  /** How many turns run at the same time in this process. */
  readonly atOnce: number;
  readonly log: Log;
}

/** How long running turns may go on after the program is told to stop, in ms; container engines kill after 10 s. */
const GRACE_MS = 7_000;

/** The pause after the first failure of a turn, in ms. */
const PAUSE_MS = 1_000;

/** Opens the queue of a store: in tables if it is PostgreSQL, otherwise as a journal of this process alone. */
export async function openQueue(options: QueueOptions): Promise<Queue> {
  const { store, session, interrupting, atOnce, log } = options;
  const common = {
    dead: await openDeadLetters(store),
    keyOf: conversationKey,
    interrupts: ({ command }: ChatEvent) => command !== undefined && interrupting.has(command),
    atOnce,
    graceMs: GRACE_MS,
    pauseMs: PAUSE_MS,
    log,
  };
  if (store.postgres && session) {
    const { createPostgresQueue } = await import("./postgres/queue.ts");
    return createPostgresQueue({ ...common, db: store.postgres, session });
  }
  // Flushed, so that an acknowledged event survives a power failure. An event leaves the queue only after its answer is
  // in the history, so the history is on disk by then too.
  const keyv = await store.open("queue", { flush: true });
  return createJournalQueue({ ...common, keyv, running: createValueStore(store).at("running") });
}

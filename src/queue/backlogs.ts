import { Interrupted } from "../errors.ts";
import type { ChatEvent } from "../event.ts";
import type { QueueEntry } from "./entry.ts";
import type { Leftover, PoisonGuard } from "./poison.ts";

/** The events of one conversation, in order. */
export interface Backlog {
  readonly key: string;
  readonly jobs: Job[];
  /** It is ready to run, is running, or waits to be tried again. */
  busy: boolean;
}

/** An event in memory. */
export interface Job extends Leftover {
  readonly event: ChatEvent;
  /** The number of its journal entry. */
  readonly number: number;
  /** An earlier run has left it in the queue, and may have died with it. */
  readonly left: boolean;
  readonly interrupt: AbortController;
  readonly requeue: AbortController;
  readonly stored: Promise<void>;
  /** How often it was begun, without failures that it did not cause. */
  attempts: number;
  /** How often it has failed in this run, for any reason. */
  failures: number;
  /** Why the last attempt failed; undefined if it ended the process. */
  error: string | undefined;
}

/** The events in memory, by conversation. */
export interface Backlogs {
  readonly size: number;
  find(id: string): Job | undefined;
  /** All jobs, oldest first. */
  jobs(): Iterable<Job>;
  /** The jobs of a conversation, in order. */
  of(conversation: string): readonly Job[];
  /** Adds a job at the end of its conversation at once, so that jobs are in the order of these calls. */
  add(entry: QueueEntry, origin: Origin): Job;
  /** Takes the next conversation that may run. */
  next(): Backlog | undefined;
  /** Makes a conversation ready again after its first job has failed. */
  retry(backlog: Backlog): void;
  /** Lets a conversation continue with its next job. */
  release(backlog: Backlog): void;
  remove(backlog: Backlog, job: Job): void;
}

/** Where a job comes from. */
export interface Origin {
  /** The write of a new event; undefined for an event that an earlier run has left. */
  readonly writing?: Promise<unknown>;
  /** Its position among the events that were running when that run ended; -1 if it was not running. */
  readonly begun?: number;
}

export interface BacklogsOptions {
  readonly keyOf: (event: ChatEvent) => string;
  readonly interrupts: (event: ChatEvent) => boolean;
  readonly guard: PoisonGuard<Job>;
}

/** Creates empty backlogs. */
export function createBacklogs({ keyOf, interrupts, guard }: BacklogsOptions): Backlogs {
  const backlogs = new Map<string, Backlog>();
  const byId = new Map<string, Job>();
  const ready: Backlog[] = [];

  return {
    get size() {
      return byId.size;
    },
    find: (id) => byId.get(id),
    jobs: () => byId.values(),
    of: (conversation) => backlogs.get(conversation)?.jobs ?? [],
    add: (entry, origin) => {
      const key = keyOf(entry.event);
      const backlog = backlogs.get(key) ?? { key, jobs: [], busy: false };
      backlogs.set(key, backlog);
      const job: Job = createJob(entry, origin, () => {
        if (interrupts(entry.event)) interruptBefore(backlog, job);
      });
      job.stored.catch(() => remove(backlog, job));
      byId.set(entry.event.id, job);
      backlog.jobs.push(job);
      schedule(backlog);
      return job;
    },
    next: () => {
      // New events do not wait for leftovers.
      const fresh = ready.findIndex(({ jobs: [first] }) => !first?.left);
      if (fresh >= 0) return ready.splice(fresh, 1)[0];
      const job = guard.next(ready.flatMap(({ jobs: [first] }) => first ?? []));
      const index = job ? ready.findIndex(({ jobs: [first] }) => first === job) : -1;
      return index < 0 ? undefined : ready.splice(index, 1)[0];
    },
    retry: (backlog) => void ready.push(backlog),
    release: (backlog) => {
      backlog.busy = false;
      schedule(backlog);
    },
    remove,
  };

  function schedule(backlog: Backlog): void {
    if (backlog.busy) return;
    if (backlog.jobs.length === 0) {
      backlogs.delete(backlog.key);
      return;
    }
    backlog.busy = true;
    ready.push(backlog);
  }

  function remove(backlog: Backlog, job: Job): void {
    byId.delete(job.event.id);
    backlog.jobs.splice(backlog.jobs.indexOf(job), 1);
    schedule(backlog);
  }
}

function createJob(entry: QueueEntry, { writing, begun = -1 }: Origin, onStored: () => void): Job {
  // The first attempt is not written to the journal, but the process has died with it.
  const attempts = begun >= 0 ? Math.max(1, entry.attempts) : entry.attempts;
  return {
    event: entry.event,
    number: entry.number,
    left: writing === undefined,
    interrupt: new AbortController(),
    requeue: new AbortController(),
    attempts,
    deaths: attempts,
    begun,
    failures: 0,
    error: undefined,
    stored: Promise.resolve(writing).then(onStored),
  };
}

function interruptBefore(backlog: Backlog, job: Job): void {
  for (const earlier of backlog.jobs) {
    if (earlier === job) return;
    earlier.interrupt.abort(new Interrupted("stopped by the user"));
  }
}

import type Keyv from "keyv";
import { describeError, Interrupted, Parked } from "../errors.ts";
import type { ChatEvent } from "../event.ts";
import type { Log } from "../log.ts";
import type { Queue, Work } from "./queue.ts";

export interface JournalOptions {
  /** Holds the queue alone; it must throw on errors. */
  readonly keyv: Keyv;
  /** The conversation of an event. */
  readonly keyOf: (event: ChatEvent) => string;
  /** Whether the event stops what the same conversation asked before it. */
  readonly interrupts: (event: ChatEvent) => boolean;
  /** So many events are worked on at once. */
  readonly atOnce: number;
  /** How long `stop()` lets running work go on, in ms. */
  readonly graceMs: number;
  readonly log: Log;
}

/** A queue for one process, journalled in Keyv. */
export function createJournalQueue(options: JournalOptions): Queue {
  const { keyv, keyOf, interrupts, log } = options;
  const lanes = new Map<string, Lane>();
  const ids = new Map<string, Job>();
  const ready: Lane[] = [];
  const running = new Set<Promise<void>>();
  const retries = new Set<NodeJS.Timeout>();
  let number = 0;
  let work: Work | undefined;

  return {
    push: (event) => {
      const known = ids.get(event.id);
      if (known) return known.stored;
      number = Math.max(number + 1, Date.now() * 1000);
      const entry: Entry = { number, event };
      return enqueue(entry, keyv.set(event.id, entry)).stored;
    },
    start: async (worker) => {
      for (const entry of await readAll(keyv)) {
        number = Math.max(number, entry.number);
        if (!ids.has(entry.event.id)) enqueue(entry, Promise.resolve());
      }
      if (ids.size > 0) log.info({ events: ids.size }, "going on with what was left in the queue");
      work = worker;
      pump();
    },
    stop: async () => {
      work = undefined;
      for (const timer of retries) clearTimeout(timer);
      const deadline = setTimeout(() => {
        for (const job of ids.values()) job.park.abort(new Parked("the program is stopping"));
      }, options.graceMs);
      while (running.size > 0) await Promise.all(running);
      clearTimeout(deadline);
    },
  };

  /** The job takes its place in the conversation at once, so that order is the order of `push`. */
  function enqueue(entry: Entry, writing: Promise<unknown>): Job {
    const key = keyOf(entry.event);
    const lane = lanes.get(key) ?? { key, jobs: [], busy: false };
    lanes.set(key, lane);
    const job: Job = {
      event: entry.event,
      interrupt: new AbortController(),
      park: new AbortController(),
      attempts: 0,
      stored: writing.then(() => {
        if (interrupts(entry.event)) interruptBefore(lane, job);
      }),
    };
    job.stored.catch(() => leave(lane, job));
    ids.set(entry.event.id, job);
    lane.jobs.push(job);
    schedule(lane);
    pump();
    return job;
  }

  function schedule(lane: Lane): void {
    if (lane.busy) return;
    if (lane.jobs.length === 0) {
      lanes.delete(lane.key);
      return;
    }
    lane.busy = true;
    ready.push(lane);
  }

  function pump(): void {
    while (work && running.size < options.atOnce) {
      const lane = ready.shift();
      if (!lane) return;
      const done: Promise<void> = runFirst(lane, work).then((goOn) => {
        running.delete(done);
        if (!goOn) return;
        lane.busy = false;
        schedule(lane);
        pump();
      });
      running.add(done);
    }
  }

  /** Never rejects. Whether the conversation may go on: not while its first event waits to be tried again. */
  async function runFirst(lane: Lane, work: Work): Promise<boolean> {
    const job = lane.jobs[0];
    const stored = await job?.stored.then(
      () => true,
      () => false,
    );
    if (!job || !stored) return true;
    try {
      await work(job.event, { interrupted: job.interrupt.signal, parked: job.park.signal });
      await keyv.delete(job.event.id);
    } catch (error) {
      if (!(error instanceof Parked)) retryLater(lane, job, error);
      return false;
    }
    leave(lane, job);
    return true;
  }

  function retryLater(lane: Lane, job: Job, error: unknown): void {
    job.attempts += 1;
    const pauseMs = Math.min(60_000, 500 * 2 ** job.attempts) * (0.75 + Math.random() / 2);
    log.error(
      { event: job.event.id, conversation: lane.key, attempts: job.attempts, err: error },
      `could not finish a turn, will try again in ${Math.ceil(pauseMs / 1000)} s: ${describeError(error)}`,
    );
    const timer = setTimeout(() => {
      retries.delete(timer);
      ready.push(lane);
      pump();
    }, pauseMs);
    retries.add(timer);
  }

  function leave(lane: Lane, job: Job): void {
    ids.delete(job.event.id);
    lane.jobs.splice(lane.jobs.indexOf(job), 1);
    schedule(lane);
  }

  function interruptBefore(lane: Lane, job: Job): void {
    for (const earlier of lane.jobs) {
      if (earlier === job) return;
      earlier.interrupt.abort(new Interrupted("stopped by the person who asked"));
    }
  }
}

/** The events of one conversation, in order. */
interface Lane {
  readonly key: string;
  readonly jobs: Job[];
  /** It stands in `ready`, runs, or waits to be tried again. */
  busy: boolean;
}

/** What stands in the journal. */
interface Entry {
  /** Larger than those of all entries before it. */
  readonly number: number;
  readonly event: ChatEvent;
}

/** An event in memory. */
interface Job {
  readonly event: ChatEvent;
  readonly interrupt: AbortController;
  readonly park: AbortController;
  readonly stored: Promise<void>;
  attempts: number;
}

async function readAll(keyv: Keyv): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const [, value] of keyv.iterator?.({}) ?? []) entries.push(value as Entry);
  return entries.sort((a, b) => a.number - b.number);
}

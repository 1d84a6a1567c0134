import type Keyv from "keyv";
import { markStage } from "../telemetry/stages.ts";
import { describeError, Interrupted, Overflow, Requeued } from "../errors.ts";
import type { ChatEvent } from "../event.ts";
import type { Log } from "../log.ts";
import type { DeadLetters } from "./dead.ts";
import { createCaution, type Left } from "./poison.ts";
import { type Entry, readEntry, writeEntry } from "./entry.ts";
import { MAX_ATTEMPTS, MAX_WAITING, type Queue, type Worker } from "./queue.ts";
import { isTransient, pauseAfter, reasonOf, SURVIVED_MS } from "./retry-policy.ts";
import { createRunning, type Note } from "./running.ts";

export interface JournalOptions {
  /** Holds the queue alone; it must throw on errors. */
  readonly keyv: Keyv;
  /** Where events go that cannot be answered; best in the same file, so that the one write follows the other. */
  readonly dead: DeadLetters;
  /** Where stands what is being worked on; it need not survive a power failure. */
  readonly running: Note;
  /** The conversation of an event. */
  readonly keyOf: (event: ChatEvent) => string;
  /** Whether the event stops what the same conversation asked before it. */
  readonly interrupts: (event: ChatEvent) => boolean;
  /** So many events are worked on at once. */
  readonly atOnce: number;
  /** How long `stop()` lets running work go on, in ms. */
  readonly graceMs: number;
  /** The pause after the first failure, in ms; each further one is twice as long, up to a minute. */
  readonly pauseMs: number;
  readonly log: Log;
}

/** How often to look for dead letters that someone wants tried once more, in ms. */
const LOOK_EVERY_MS = 2_000;

/** A queue for one process, journalled in Keyv. */
export function createJournalQueue(options: JournalOptions): Queue {
  const { keyv, dead, keyOf, interrupts, log } = options;
  const backlogs = new Map<string, Backlog>();
  const ids = new Map<string, Job>();
  const ready: Backlog[] = [];
  const running = new Set<Promise<void>>();
  const retries = new Set<NodeJS.Timeout>();
  const marks = createRunning(options.running);
  const caution = createCaution<Job>(pump);
  let number = 0;
  let worker: Worker | undefined;
  let nextLook: NodeJS.Timeout | undefined;
  let looked = Promise.resolve();

  return {
    push,
    start: async (given) => {
      const begun = await marks.left();
      for (const entry of await readAll(keyv, log)) {
        number = Math.max(number, entry.number);
        if (!ids.has(entry.event.id)) enqueue(entry, { begun: begun.indexOf(entry.event.id) });
      }
      if (ids.size > 0) log.info({ events: ids.size }, "going on with what was left in the queue");
      worker = given;
      look();
      pump();
    },
    load: async () => {
      const [oldest] = ids.values();
      return { events: ids.size, ...(oldest && { oldestAt: oldest.event.at }) };
    },
    stop: async () => {
      worker = undefined;
      clearTimeout(nextLook);
      caution.stop();
      for (const timer of retries) clearTimeout(timer);
      const deadline = setTimeout(() => {
        for (const job of ids.values()) job.requeue.abort(new Requeued("the program is stopping"));
      }, options.graceMs);
      while (running.size > 0) await Promise.all(running);
      clearTimeout(deadline);
      await looked;
    },
  };

  async function push(event: ChatEvent): Promise<void> {
    const known = ids.get(event.id);
    if (known) return known.stored;
    // Who stops something makes room.
    const times = interrupts(event) ? 2 : 1;
    if (ids.size >= MAX_WAITING.overall * times)
      throw new Overflow(false, `${ids.size} messages wait for an answer already; more are taken in later`);
    const key = keyOf(event);
    const waiting = backlogs.get(key)?.jobs ?? [];
    const closing = waiting.find(({ event, attempts }) => event.overflow && attempts === 0);
    const isOpen = !closing || times > 1;
    if (isOpen && waiting.length < MAX_WAITING.conversation * times) return store(event);
    // What is told is as safe as an answer is, before anything is turned away.
    await (closing?.stored ?? store({ ...event, id: `${event.id}#overflow`, overflow: true }));
    throw new Overflow(true, `${waiting.length} messages of ${key} wait for an answer already`);
  }

  function store(event: ChatEvent): Promise<void> {
    number = Math.max(number + 1, Date.now() * 1000);
    const entry: Entry = { number, event, attempts: 0 };
    const writing = keyv.set(event.id, writeEntry(entry)).then(() => markStage("stored", event));
    return enqueue(entry, { writing }).stored;
  }

  /** Takes back the dead letters that someone wants tried once more, now and from time to time. */
  function look(): void {
    const failed = (error: unknown) =>
      log.warn(`could not look for dead letters to be tried again: ${describeError(error)}`);
    looked = takeBack()
      .catch(failed)
      .then(() => {
        if (worker) nextLook = setTimeout(look, LOOK_EVERY_MS).unref();
      });
  }

  async function takeBack(): Promise<void> {
    for (const event of await dead.wanted()) {
      // Still on its way into the list, or taken back by a run that died before it could say so.
      if (ids.has(event.id)) continue;
      // Asked anew: as old as it was it would get no answer.
      await store({ ...event, at: Date.now() });
      await dead.drop(event.id);
      log.info({ event: event.id }, "a dead letter is tried once more");
    }
  }

  /** The job takes its place in the conversation at once, so that order is the order of `push`. */
  function enqueue(
    entry: Entry,
    { writing, begun = -1 }: { writing?: Promise<unknown>; begun?: number },
  ): Job {
    const key = keyOf(entry.event);
    const backlog = backlogs.get(key) ?? { key, jobs: [], busy: false };
    backlogs.set(key, backlog);
    // The first time of all is not counted, but the process has died with it.
    const attempts = begun >= 0 ? Math.max(1, entry.attempts) : entry.attempts;
    const job: Job = {
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
      stored: Promise.resolve(writing).then(() => {
        if (interrupts(entry.event)) interruptBefore(backlog, job);
      }),
    };
    job.stored.catch(() => leave(backlog, job));
    ids.set(entry.event.id, job);
    backlog.jobs.push(job);
    schedule(backlog);
    pump();
    return job;
  }

  function schedule(backlog: Backlog): void {
    if (backlog.busy) return;
    if (backlog.jobs.length === 0) {
      backlogs.delete(backlog.key);
      return;
    }
    backlog.busy = true;
    ready.push(backlog);
  }

  function pump(): void {
    while (worker && running.size < options.atOnce) {
      const backlog = nextReady();
      if (!backlog) return;
      const done: Promise<void> = runFirst(backlog, worker).then((goOn) => {
        running.delete(done);
        if (goOn) {
          backlog.busy = false;
          schedule(backlog);
        }
        pump();
      });
      running.add(done);
    }
  }

  /** What this run has taken in waits for nothing that was left. */
  function nextReady(): Backlog | undefined {
    const fresh = ready.findIndex(({ jobs: [first] }) => !first?.left);
    if (fresh >= 0) return ready.splice(fresh, 1)[0];
    const job = caution.next(ready.flatMap(({ jobs: [first] }) => first ?? []));
    const index = job ? ready.findIndex(({ jobs: [first] }) => first === job) : -1;
    return index < 0 ? undefined : ready.splice(index, 1)[0];
  }

  /** Never rejects. Whether the conversation may go on: not while its first event waits to be tried again. */
  async function runFirst(backlog: Backlog, worker: Worker): Promise<boolean> {
    const job = backlog.jobs[0];
    if (job?.left) caution.begin(job);
    const stored = await job?.stored.then(
      () => true,
      () => false,
    );
    if (!job || !stored) return true;
    try {
      if (job.attempts >= MAX_ATTEMPTS || !(await attempt(job, worker))) await bury(job, worker);
      await keyv.delete(job.event.id);
      markStage("dropped", job.event);
    } catch (error) {
      if (!(error instanceof Requeued)) retryLater(backlog, job, error);
      return false;
    } finally {
      caution.end(job);
    }
    leave(backlog, job);
    return true;
  }

  /** False if this was the last attempt; rejects if it may be tried again. */
  async function attempt(job: Job, { work }: Worker): Promise<boolean> {
    // Before it begins, as it may end the process. The first time of all is not worth a write.
    const counted = job.left || job.attempts > 0;
    if (counted) await count(job, job.attempts + 1);
    job.attempts += 1;
    const survived = setTimeout(() => {
      if (counted) count(job, job.attempts - 1).catch(() => undefined);
      marks.end(job.event.id).catch(() => undefined);
    }, SURVIVED_MS);
    try {
      await marks.begin(job.event.id);
      caution.work(job);
      await work(job.event, { interrupted: job.interrupt.signal, requeued: job.requeue.signal });
      marks.end(job.event.id).catch(() => undefined);
      return true;
    } catch (error) {
      await marks.end(job.event.id).catch(() => undefined);
      if (isTransient(error)) {
        job.attempts -= 1;
        if (counted) await count(job, job.attempts).catch(() => undefined);
        throw error;
      }
      job.error = reasonOf(error);
      if (job.attempts < MAX_ATTEMPTS) throw error;
      log.error({ event: job.event.id, err: error }, `a turn fails for good: ${job.error}`);
      return false;
    } finally {
      clearTimeout(survived);
    }
  }

  async function count(job: Job, attempts: number): Promise<void> {
    await keyv.set(job.event.id, writeEntry({ number: job.number, event: job.event, attempts }));
  }

  /** The letter stands before the event leaves the queue, so that a crash in between loses nothing. */
  async function bury(job: Job, { giveUp }: Worker): Promise<void> {
    const { event, attempts, error = "the program has ended in the midst of it" } = job;
    await dead.add({ event, error, attempts, at: Date.now() });
    log.error({ event: event.id, attempts }, "an event is given up; `colloquy dead` lists it");
    await giveUp(event, job.requeue.signal);
  }

  function retryLater(backlog: Backlog, job: Job, error: unknown): void {
    const { event, attempts } = job;
    const pauseMs = pauseAfter(job.failures, options.pauseMs);
    job.failures += 1;
    log.error(
      { event: event.id, conversation: backlog.key, attempts, err: error },
      `could not finish a turn, will try again in ${Math.ceil(pauseMs / 1000)} s: ${describeError(error)}`,
    );
    const timer = setTimeout(() => {
      retries.delete(timer);
      ready.push(backlog);
      pump();
    }, pauseMs);
    retries.add(timer);
  }

  function leave(backlog: Backlog, job: Job): void {
    ids.delete(job.event.id);
    backlog.jobs.splice(backlog.jobs.indexOf(job), 1);
    schedule(backlog);
  }

  function interruptBefore(backlog: Backlog, job: Job): void {
    for (const earlier of backlog.jobs) {
      if (earlier === job) return;
      earlier.interrupt.abort(new Interrupted("stopped by the person who asked"));
    }
  }
}

/** The events of one conversation, in order. */
interface Backlog {
  readonly key: string;
  readonly jobs: Job[];
  /** It stands in `ready`, runs, or waits to be tried again. */
  busy: boolean;
}

/** An event in memory. */
interface Job extends Left {
  readonly event: ChatEvent;
  /** That of its entry. */
  readonly number: number;
  /** An earlier run has left it: that run may have died with it. */
  readonly left: boolean;
  readonly interrupt: AbortController;
  readonly requeue: AbortController;
  readonly stored: Promise<void>;
  /** How often the work was begun and did not end for a reason that is no fault of the event. */
  attempts: number;
  /** How often it failed in this run, for whatever reason. */
  failures: number;
  /** Why the last attempt failed; undefined if it ended the process. */
  error: string | undefined;
}

async function readAll(keyv: Keyv, log: Log): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const [id, value] of keyv.iterator?.({}) ?? []) {
    const entry = readEntry(String(id), value);
    if (entry) entries.push(entry);
    else log.error({ event: String(id) }, "an event in the queue cannot be understood; it is left there");
  }
  return entries.sort((a, b) => a.number - b.number);
}

import type Keyv from "keyv";
import { markStage } from "../telemetry/stages.ts";
import { describeError, Requeued } from "../errors.ts";
import type { ChatEvent } from "../event.ts";
import type { Log } from "../log.ts";
import { type Backlog, createBacklogs, type Job, type Origin } from "./backlogs.ts";
import type { DeadLetters } from "./dead.ts";
import { type QueueEntry, readEntry, writeEntry } from "./entry.ts";
import { logRetry } from "./failures.ts";
import type { CommonQueueOptions } from "./common-options.ts";
import { createAttempts } from "./journal-attempts.ts";
import { conversationIsFull, queueIsFull } from "./overflow.ts";
import { createPoisonGuard } from "./poison.ts";
import { MAX_WAITING, type Queue, type Worker } from "./queue.ts";
import { MAX_PAUSE_MS } from "./retry-policy.ts";
import { createRunning, type Note } from "./running.ts";
import { backOff } from "../system/back-off.ts";

export interface JournalOptions extends CommonQueueOptions {
  /** Holds only the queue; it must throw on errors. */
  readonly keyv: Keyv;
  /** Best in the same file, so that its writes are flushed in order with the queue's. */
  readonly dead: DeadLetters;
  /** Holds the ids of the events that are being processed; it need not survive a power failure. */
  readonly running: Note;
}

/** How often to check for dead letters to retry, in ms. */
const TAKE_BACK_EVERY_MS = 2_000;

/** Creates a queue for one process, with a journal in Keyv. */
export function createJournalQueue(options: JournalOptions): Queue {
  const { keyv, dead, keyOf, interrupts, log } = options;
  const guard = createPoisonGuard<Job>(pump);
  const backlogs = createBacklogs({ keyOf, interrupts, guard });
  const running = createRunning(options.running);
  const attempts = createAttempts({ keyv, dead, running, guard, log });
  const active = new Set<Promise<void>>();
  const retries = new Set<NodeJS.Timeout>();
  let number = 0;
  let worker: Worker | undefined;
  let takeBackTimer: NodeJS.Timeout | undefined;
  let takingBack = Promise.resolve();

  return {
    push,
    start: async (given) => {
      const begun = await running.left();
      for (const entry of await readAll(keyv, log)) {
        number = Math.max(number, entry.number);
        if (!backlogs.find(entry.event.id)) enqueue(entry, { begun: begun.indexOf(entry.event.id) });
      }
      if (backlogs.size > 0)
        log.info({ events: backlogs.size }, "continuing with the events left in the queue");
      worker = given;
      takeBackRegularly();
      pump();
    },
    load: async () => {
      const [oldest] = backlogs.jobs();
      return { events: backlogs.size, ...(oldest && { oldestAt: oldest.event.at }) };
    },
    stop: async () => {
      worker = undefined;
      clearTimeout(takeBackTimer);
      guard.stop();
      for (const timer of retries) clearTimeout(timer);
      const deadline = setTimeout(() => {
        for (const job of backlogs.jobs()) job.requeue.abort(new Requeued("the program is stopping"));
      }, options.graceMs);
      while (active.size > 0) await Promise.all(active);
      clearTimeout(deadline);
      await takingBack;
    },
  };

  async function push(event: ChatEvent): Promise<void> {
    const known = backlogs.find(event.id);
    if (known) return known.stored;
    // An event that interrupts others makes room.
    const factor = interrupts(event) ? 2 : 1;
    if (backlogs.size >= MAX_WAITING.overall * factor) throw queueIsFull(backlogs.size);
    const key = keyOf(event);
    const waiting = backlogs.of(key);
    const closing = waiting.find(({ event, attempts }) => event.overflow && attempts === 0);
    const isOpen = !closing || factor > 1;
    if (isOpen && waiting.length < MAX_WAITING.conversation * factor) return store(event);
    // The event that will tell the user must be stored before this one is rejected.
    await (closing?.stored ?? store({ ...event, id: `${event.id}#overflow`, overflow: true }));
    throw conversationIsFull(key, waiting.length);
  }

  function store(event: ChatEvent): Promise<void> {
    number = Math.max(number + 1, Date.now() * 1000);
    const entry: QueueEntry = { number, event, attempts: 0 };
    const writing = keyv.set(event.id, writeEntry(entry)).then(() => markStage("stored", event));
    return enqueue(entry, { writing }).stored;
  }

  function enqueue(entry: QueueEntry, origin: Origin): Job {
    const job = backlogs.add(entry, origin);
    pump();
    return job;
  }

  function takeBackRegularly(): void {
    takingBack = takeBack()
      .catch((error: unknown) =>
        log.warn(`could not check for dead letters to retry: ${describeError(error)}`),
      )
      .then(() => {
        if (worker) takeBackTimer = setTimeout(takeBackRegularly, TAKE_BACK_EVERY_MS).unref();
      });
  }

  /** Returns dead letters for which a retry was requested to the queue. */
  async function takeBack(): Promise<void> {
    for (const event of await dead.retryRequested()) {
      // It is still being given up, or a run died after it took the letter back and before it dropped it from the list.
      if (backlogs.find(event.id)) continue;
      // With its original time, it would be too old to be answered.
      await store({ ...event, at: Date.now() });
      await dead.drop(event.id);
      log.info({ event: event.id }, "retrying a dead letter");
    }
  }

  function pump(): void {
    while (worker && active.size < options.atOnce) {
      const backlog = backlogs.next();
      if (!backlog) return;
      const done: Promise<void> = runFirst(backlog, worker).then((mayContinue) => {
        active.delete(done);
        if (mayContinue) backlogs.release(backlog);
        pump();
      });
      active.add(done);
    }
  }

  /**
   * Runs the first job of a conversation. Returns whether the conversation may continue, which it may not while the job
   * waits to be tried again. Never rejects.
   */
  async function runFirst(backlog: Backlog, worker: Worker): Promise<boolean> {
    const job = backlog.jobs[0];
    if (job?.left) guard.begin(job);
    const stored = await job?.stored.then(
      () => true,
      () => false,
    );
    if (!job || !stored) return true;
    try {
      await attempts.run(job, worker);
    } catch (error) {
      if (!(error instanceof Requeued)) retryLater(backlog, job, error);
      return false;
    } finally {
      guard.end(job);
    }
    backlogs.remove(backlog, job);
    return true;
  }

  function retryLater(backlog: Backlog, job: Job, error: unknown): void {
    const pauseMs = backOff(job.failures + 1, { firstMs: options.pauseMs, maxMs: MAX_PAUSE_MS });
    job.failures += 1;
    const { event, attempts } = job;
    logRetry(log, { event: event.id, conversation: backlog.key, attempts, pauseMs }, error);
    const timer = setTimeout(() => {
      retries.delete(timer);
      backlogs.retry(backlog);
      pump();
    }, pauseMs);
    retries.add(timer);
  }
}

async function readAll(keyv: Keyv, log: Log): Promise<QueueEntry[]> {
  const entries: QueueEntry[] = [];
  for await (const [id, value] of keyv.iterator?.({}) ?? []) {
    const entry = readEntry(String(id), value);
    if (entry) entries.push(entry);
    else log.error({ event: String(id) }, "an event in the queue is invalid and was left there");
  }
  return entries.sort((a, b) => a.number - b.number);
}

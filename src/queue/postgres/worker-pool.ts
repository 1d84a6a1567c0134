import { setTimeout as sleep } from "node:timers/promises";
import { markStage } from "../../telemetry/stages.ts";
import { describeError, Interrupted, Requeued } from "../../errors.ts";
import type { ChatEvent } from "../../event.ts";
import type { Log } from "../../log.ts";
import type { Postgres } from "../../postgres/pool.ts";
import type { Session } from "../../postgres/session.ts";
import type { DeadLetters } from "../dead.ts";
import type { Inbox, Taken } from "./inbox.ts";
import { startJobs } from "./jobs.ts";
import { MAX_ATTEMPTS, type Worker } from "../queue.ts";
import {
  isTransient,
  pauseAfter,
  reasonOf,
  PROVEN_MS,
  SURVIVED_MS,
  SUSPECT_AFTER,
  suspectsAtOnce,
  WORKERS,
} from "../retry-policy.ts";

export interface CrewOptions {
  readonly db: Postgres;
  readonly session: Session;
  readonly inbox: Inbox;
  readonly dead: DeadLetters;
  readonly worker: Worker;
  /** So many conversations are worked on at once. */
  readonly atOnce: number;
  /** How long running work may go on at the end, in ms. */
  readonly graceMs: number;
  /** The pause after the first failure, in ms. */
  readonly pauseMs: number;
  /** How often it is looked for conversations whose time has come, in ms. */
  readonly pollMs: number;
  /** After so many ms without a connection a crew counts as dead. */
  readonly goneMs: number;
  readonly log: Log;
}

/** Works on conversations for as long as the database knows that it lives. */
export interface Crew {
  /** Somebody has stopped all in a conversation before this number. */
  interrupt(conversation: string, before: number): void;
  /** Somebody may have stopped something, unheard. */
  catchUp(): Promise<void>;
  /** Others may take over soon what is in hand here. */
  isLost(): boolean;
  /** Lets go of everything at once, and writes nothing more. */
  giveUp(): void;
  /** Lets what is running end for a while, and gives back the rest. */
  end(): Promise<void>;
}

/** How long stopping waits for the database beyond the grace, in ms. */
const GOODBYE_MS = 2_000;

/** Something that processes may have died with, and since when it is in hand, in ms since the epoch. */
interface Poisonous {
  readonly deaths: number;
  readonly at: number;
}

/** One conversation in hand. */
interface Hand {
  readonly requeue: AbortController;
  interrupt: AbortController;
  /** The event that is worked on. */
  number: number;
  /** All before this number were stopped. */
  stoppedBefore: number;
}

/** Hires a crew; it begins at once. */
export async function hireCrew(options: CrewOptions): Promise<Crew> {
  const { db, session, inbox, dead, worker, pollMs, goneMs, log } = options;
  const hands = new Map<string, Hand>();
  let stopping = false;
  let givenUp = false;
  let requeueing = false;
  /** What processes may have died with, as far as it is in hand here. */
  const poisonous = new Map<Hand, Poisonous>();
  /** Since when something waits for what has ended fewer processes, in ms since the epoch, by its number. */
  const waiting = new Map<number, number>();
  /** How many of them did not end this process at once. */
  let proven = 0;
  let lostSince: number | undefined;
  const jobs = await startJobs({ db, places: options.atOnce, pollMs, work: workOn, log });
  const lock = session.lock({ group: WORKERS, name: jobs.id });

  return {
    interrupt,
    catchUp: async () => {
      const numbers = [...hands.values()].map(({ number }) => number).filter((number) => number > 0);
      const stopped = await inbox.interrupted(numbers).catch((): number[] => []);
      for (const hand of hands.values()) if (stopped.includes(hand.number)) stop(hand);
    },
    isLost: () => {
      // Sooner than others take over.
      if (lock.held && session.alive()) lostSince = undefined;
      else lostSince ??= Date.now();
      return lostSince !== undefined && Date.now() - lostSince > goneMs * 0.6;
    },
    giveUp,
    end,
  };

  async function end(): Promise<void> {
    stopping = true;
    const deadline = setTimeout(() => {
      requeueing = true;
      for (const { requeue } of hands.values()) requeue.abort(new Requeued("the program is stopping"));
    }, options.graceMs);
    const patience = new AbortController();
    await Promise.race([
      jobs.stop().catch(() => undefined),
      sleep(options.graceMs + GOODBYE_MS, undefined, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
    clearTimeout(deadline);
    await lock.release();
  }

  /** Others may have taken over: nothing of what is in hand is written any more, not even that it is done. */
  function giveUp(): void {
    givenUp = true;
    for (const { requeue } of hands.values()) requeue.abort(new Requeued("the database was out of reach"));
    jobs.abandon();
    void lock.release();
  }

  function interrupt(conversation: string, before: number): void {
    const hand = hands.get(conversation);
    if (!hand) return;
    hand.stoppedBefore = Math.max(hand.stoppedBefore, before);
    if (hand.number < before) stop(hand);
  }

  function stop({ interrupt }: Hand): void {
    interrupt.abort(new Interrupted("stopped by the person who asked"));
  }

  /** One event after the other, until there is none or one must be tried again later. */
  async function workOn(conversation: string): Promise<void> {
    const hand: Hand = {
      requeue: new AbortController(),
      interrupt: new AbortController(),
      number: 0,
      stoppedBefore: 0,
    };
    hands.set(conversation, hand);
    if (requeueing) hand.requeue.abort(new Requeued("the program is stopping"));
    try {
      for (let goOn = true; goOn; ) {
        if (stopping) return await insist(() => inbox.wake(conversation));
        const taken = await insist(() => inbox.take(conversation));
        if (!taken) return;
        goOn = await answer(taken, hand);
      }
    } finally {
      hands.delete(conversation);
      if (givenUp) await forever();
    }
  }

  /** Whether the conversation may go on. */
  async function answer(taken: Taken, hand: Hand): Promise<boolean> {
    hand.number = taken.number;
    hand.interrupt = new AbortController();
    if (taken.interrupted || taken.number < hand.stoppedBefore) stop(hand);
    const deaths = deathsOf(taken);
    if (deaths > 0 && !((await isNext(taken, deaths)) && mayBegin(deaths))) {
      const { attempts } = taken;
      const { pauseMs } = options;
      await insist(() => inbox.giveBack(taken, { attempts: attempts - 1, pauseMs, failed: false }));
      return false;
    }
    if (deaths > 0) poisonous.set(hand, { deaths, at: Date.now() });
    try {
      if (deaths > 0) await insist(() => inbox.count(taken, taken.attempts));
      const event = taken.event();
      if (!event) {
        log.error({ event: taken.id }, "an event in the queue cannot be understood; it is set aside");
        await insist(() => inbox.setAside(taken));
        return true;
      }
      if (!(await attempt(event, taken, hand))) return false;
      await insist(() => inbox.remove(taken));
      markStage("dropped", event);
      return true;
    } catch (error) {
      await retryLater(taken, error);
      return false;
    } finally {
      if (poisonous.delete(hand)) proven += 1;
    }
  }

  /** What has ended processes more than once lets the others begin first, but waits no longer than they can take. */
  async function isNext(taken: Taken, deaths: number): Promise<boolean> {
    if (deaths < 2) return true;
    const { number } = taken;
    const since = waiting.get(number) ?? Date.now();
    waiting.set(number, since);
    if (Date.now() - since < SURVIVED_MS && (await insist(() => inbox.hasSafer(taken, deaths)))) return false;
    waiting.delete(number);
    return true;
  }

  /** At first one at a time, and as many more as have not ended the process at once. */
  function mayBegin(deaths: number): boolean {
    const all = [...poisonous.values()];
    const atOnce = Math.min(suspectsAtOnce(deaths), ...all.map((one) => suspectsAtOnce(one.deaths)));
    const young = all.filter(({ at }) => Date.now() - at < PROVEN_MS.suspect).length;
    return all.length < atOnce && young < Math.max(1, proven + all.length - young);
  }

  /** Whether it is done with, for good or ill; rejects with what was wrong if it may be tried again. */
  async function attempt(event: ChatEvent, taken: Taken, hand: Hand): Promise<boolean> {
    // Many processes have died with it.
    if (taken.attempts > MAX_ATTEMPTS) {
      const error = "the program has ended in the midst of it";
      await bury({ event, error, attempts: MAX_ATTEMPTS }, hand);
      return true;
    }
    const survived = setTimeout(() => {
      inbox.count(taken, taken.attempts - 1).catch(() => undefined);
    }, SURVIVED_MS);
    try {
      await worker.work(event, { interrupted: hand.interrupt.signal, requeued: hand.requeue.signal });
      return true;
    } catch (error) {
      if (isTransient(error) || taken.attempts < MAX_ATTEMPTS) throw error;
      const why = reasonOf(error);
      log.error({ event: event.id, err: error }, `a turn fails for good: ${why}`);
      await bury({ event, error: why, attempts: taken.attempts }, hand);
      return true;
    } finally {
      clearTimeout(survived);
    }
  }

  /** The letter stands before the event leaves the queue, so that a crash in between loses nothing. */
  async function bury(
    letter: { event: ChatEvent; error: string; attempts: number },
    hand: Hand,
  ): Promise<void> {
    await dead.add({ ...letter, at: Date.now() });
    const { event, attempts } = letter;
    log.error({ event: event.id, attempts }, "an event is given up; `colloquy dead` lists it");
    await worker.giveUp(event, hand.requeue.signal);
  }

  async function retryLater(taken: Taken, error: unknown): Promise<void> {
    const { id, conversation, failures } = taken;
    const attempts = isTransient(error) ? taken.attempts - 1 : taken.attempts;
    const leaving = stopping && error instanceof Requeued;
    const pauseMs = leaving ? 0 : pauseAfter(failures, options.pauseMs);
    if (!(error instanceof Requeued)) {
      log.error(
        { event: id, conversation, attempts, err: error },
        `could not finish a turn, will try again in ${Math.ceil(pauseMs / 1000)} s: ${describeError(error)}`,
      );
    }
    await insist(() => inbox.giveBack(taken, { attempts, pauseMs, failed: true }));
  }

  /** Tries a write until it is done: without the database there is nothing else to do. */
  async function insist<T>(write: () => Promise<T>): Promise<T> {
    for (;;) {
      if (givenUp) return forever();
      try {
        return await write();
      } catch (error) {
        if (requeueing) throw error;
        log.warn(`the queue cannot be written, which is tried again: ${describeError(error)}`);
        await sleep(options.pauseMs);
      }
    }
  }
}

/** It was begun, and neither ended nor given back: how often, as far as can be told. */
function deathsOf({ attempts, failures }: Taken): number {
  return attempts > SUSPECT_AFTER ? SUSPECT_AFTER : Math.max(0, attempts - 1 - failures);
}

/** Whoever waits for this is forgotten together with it. */
function forever(): Promise<never> {
  return new Promise(() => undefined);
}

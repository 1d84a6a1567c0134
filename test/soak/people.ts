import { setTimeout as sleep } from "node:timers/promises";
import type { SimulatedRequest } from "../../src/testing/openai.ts";

/** Where somebody writes, and what they see there. */
interface Place {
  say(user: string, text: string): unknown;
  shows(user: string): readonly string[];
}

export interface PeopleOptions {
  /** Each person has one of them. */
  readonly places: readonly Place[];
  readonly users: number;
  readonly turns: number;
  /** How many questions are open at any time in each chat. */
  readonly atOnce: number;
  /** Why the program cannot answer any more. */
  readonly failed: () => string | undefined;
}

/** People who write one after the other, each again once everybody else has. */
export interface People {
  readonly answered: number;
  /** Resolves when every question has its answer. Rejects if one has none, or not the whole, or it twice. */
  readonly done: Promise<void>;
}

interface Waiting {
  readonly turn: number;
  readonly user: string;
  readonly place: Place;
  readonly since: number;
}

/** An answer that takes longer counts as lost, in ms. */
const PATIENCE_MS = 120_000;

/** How often people look, in ms. */
const LOOK_EVERY_MS = 25;

/** One in this many answers takes more than one message. */
const LONG_EVERY = 20;
const LONG_SENTENCES = 60;

/** Begins at once. */
export function createPeople(options: PeopleOptions): People {
  const { places, users, turns, atOnce } = options;
  let asked = 0;
  let answered = 0;

  return {
    get answered() {
      return answered;
    },
    done: Promise.all(places.map(talk)).then(() => undefined),
  };

  /** The people of one place, who take no notice of how fast it goes elsewhere. */
  async function talk(place: Place, index: number): Promise<void> {
    let waiting: Waiting[] = [];
    for (let spoken = 0; waiting.length > 0 || asked < turns; ) {
      for (; waiting.length < atOnce && asked < turns; spoken += 1) {
        const user = `person-${(index + spoken * places.length) % users}`;
        waiting.push(ask(place, { user, turn: asked++ }));
      }
      await sleep(LOOK_EVERY_MS);
      const failure = options.failed();
      if (failure) throw new Error(failure);
      const still = waiting.filter((question) => !hasAnswer(question));
      answered += waiting.length - still.length;
      waiting = still;
    }
  }
}

function ask(place: Place, { user, turn }: Pick<Waiting, "user" | "turn">): Waiting {
  place.say(user, `Question ${turn}.`);
  return { turn, user, place, since: Date.now() };
}

function hasAnswer({ turn, user, place, since }: Waiting): boolean {
  const shown = place.shows(user).join("\n");
  if (shown.includes(endOf(turn))) {
    const [, answer = "", ...more] = shown.split(`${beginOf(turn)} `);
    const sentences = answer.split(/depends on the weather/).length - 1;
    if (more.length > 0 || sentences !== sentencesOf(turn))
      throw new Error(`${user} does not see the answer to question ${turn} once and whole:\n${shown}`);
    return true;
  }
  if (Date.now() - since < PATIENCE_MS) return false;
  throw new Error(`${user} has waited ${PATIENCE_MS / 1000} s for the answer to question ${turn}`);
}

/** What the model says to them. */
export function answerTo({ messages }: SimulatedRequest): string {
  const turn = Number(/\d+/.exec(messages.at(-1)?.content ?? "")?.[0]);
  const sentence =
    "It *depends on the weather*, on the day of the week, on the moon and on `whoever` has asked.";
  const body = Array.from({ length: sentencesOf(turn) }, () => sentence);
  return [`${beginOf(turn)} is not easy.`, ...body, endOf(turn)].join("\n\n");
}

function sentencesOf(turn: number): number {
  return turn % LONG_EVERY === 0 ? LONG_SENTENCES : 2;
}

function beginOf(turn: number): string {
  return `The answer to ${turn}`;
}

function endOf(turn: number): string {
  return `That was all about ${turn}.`;
}

import { setTimeout as sleep } from "node:timers/promises";
import { type Evidence, endsWith } from "./check.ts";
import { createRandom, type Random } from "./random.ts";
import { questionOf } from "./script.ts";
import { tagOf, type World } from "./world.ts";

/** Someone who asks, on one platform, and all that they have asked. */
export interface Person {
  readonly person: number;
  readonly platform: string;
  readonly name: string;
  /** In order: the number of the question, what the platform calls the message, and when it was, in ms. */
  readonly asked: { readonly number: number; readonly id: string; readonly at: number }[];
  /** How many questions seem to be open; exact only when nothing is being written. */
  open(): number;
  ask(): void;
  shows(): readonly string[];
}

/** How long somebody waits for an answer before they ask the next thing all the same, in ms. */
const PATIENCE_MS = 40_000;

/** While this many questions are open, no user asks another. */
const MAX_OPEN = 8;

/** How often people look, in ms. */
const LOOK_EVERY_MS = 300;

/** Half of them on Telegram, half on Discord. */
export function createPeople(world: World, users: number): Person[] {
  return Array.from({ length: users }, (_, person) => createPerson(world, person));
}

function createPerson(world: World, person: number): Person {
  const platform = person % 2 === 0 ? "Telegram" : "Discord";
  const place = person % 2 === 0 ? world.telegram : world.discord;
  const name = `person-${person}`;
  const asked: Person["asked"] = [];
  /** How many of them are known to be answered. */
  let done = 0;

  return {
    person,
    platform,
    name,
    asked,
    open: () => {
      const tail = place.shows(name).slice(-4);
      const spoiled = world.spoiledOf(person);
      const isAnswered = ({ number }: { number: number }) => endsWith(tail, { person, number }, spoiled);
      done = Math.max(done, asked.slice(done).findLast(isAnswered)?.number ?? 0);
      return asked.length - done;
    },
    ask: () => {
      const number = asked.length + 1;
      const id = String(place.say(name, questionOf({ person, number })));
      asked.push({ number, id, at: Date.now() });
    },
    shows: () => place.shows(name),
  };
}

/** Lets everybody ask, one thing after the other or several at once, until `signal` aborts. */
export async function letAsk(people: readonly Person[], seed: number, signal: AbortSignal): Promise<void> {
  await Promise.all(people.map((person) => talk(person, createRandom(seed * 31 + person.person), signal)));
}

async function talk(person: Person, random: Random, signal: AbortSignal): Promise<void> {
  const pause = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined);
  await pause(random.between(0, 10_000));
  while (!signal.aborted) {
    const count = random.chance(0.2) ? random.between(2, 5) : 1;
    for (let index = 0; index < count; index += 1) person.ask();
    const patience = Date.now() + PATIENCE_MS;
    for (let open = person.open(); open > 0 && !signal.aborted; open = person.open()) {
      if (Date.now() > patience && open < MAX_OPEN) break;
      await pause(LOOK_EVERY_MS);
    }
    await pause(random.chance(0.3) ? random.between(0, 300) : random.between(500, 15_000));
  }
}

/** What there is to be judged of each conversation. */
export function evidenceOf(people: readonly Person[], world: World): Evidence[] {
  const prompts = new Map<number, Evidence["prompts"][number][]>(people.map(({ person }) => [person, []]));
  for (const request of world.model.requests) prompts.get(tagOf(request).person)?.push(request.messages);
  return people.map(({ person, asked, shows }) => ({
    person,
    asked: asked.map(({ number }) => number),
    shows: shows(),
    prompts: prompts.get(person) ?? [],
    spoiled: world.spoiledOf(person),
    overlapping: world.overlapping.filter((tag) => tag.person === person).map(({ number }) => number),
  }));
}

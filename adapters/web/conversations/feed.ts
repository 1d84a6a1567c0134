import { randomUUID } from "node:crypto";
import type { News } from "./news.ts";

/** What is new, for whoever looks on: each of a person's pages hears all of it, in order. */
export interface Feed {
  tell(user: string, news: News): void;
  /** Where the person's news stand. */
  position(user: string): string;
  /**
   * Hears what is new from now on, and first what came after the position `after`. `gap`: that is not known any more
   * (or was never), so that whoever listens must look at everything anew.
   */
  follow(user: string, after: string | undefined, hear: Hear): { readonly gap: boolean; stop(): void };
}

export type Hear = (position: string, news: News) => void;

/** So many news are kept for a page whose connection breaks: some half a minute of a growing answer. */
const KEPT = 300;

/** A person nobody listens for is forgotten after so long, in ms. */
const FORGET_MS = 120_000;

interface Person {
  /** The number of the first of the news. */
  first: number;
  news: News[];
  readonly ears: Set<Hear>;
  leftAt: number;
}

/** A feed in memory. */
export function createFeed(): Feed {
  // Positions of another run mean nothing here.
  const run = randomUUID().slice(0, 8);
  const people = new Map<string, Person>();

  return {
    tell: (user, news) => {
      const person = people.get(user);
      // Whoever comes later looks at everything anyway.
      if (!person) return;
      person.news.push(news);
      if (person.news.length > KEPT) {
        person.first += 1;
        person.news.shift();
      }
      for (const hear of person.ears) hear(positionOf(person), news);
    },
    position: (user) => positionOf(find(user)),
    follow: (user, after, hear) => {
      forgetIdle();
      const person = find(user);
      const from = Number(after?.startsWith(`${run}-`) ? after.slice(run.length + 1) : Number.NaN);
      const next = person.first + person.news.length;
      const gap = !(from >= person.first - 1 && from < next);
      if (!gap)
        person.news
          .slice(from + 1 - person.first)
          .forEach((news, index) => hear(`${run}-${from + 1 + index}`, news));
      person.ears.add(hear);
      return {
        gap,
        stop: () => {
          if (person.ears.delete(hear)) person.leftAt = Date.now();
        },
      };
    },
  };

  function positionOf({ first, news }: Person): string {
    return `${run}-${first + news.length - 1}`;
  }

  function find(user: string): Person {
    const person = people.get(user) ?? { first: 1, news: [], ears: new Set(), leftAt: Date.now() };
    people.set(user, person);
    return person;
  }

  function forgetIdle(): void {
    for (const [user, { ears, leftAt }] of people)
      if (ears.size === 0 && leftAt < Date.now() - FORGET_MS) people.delete(user);
  }
}

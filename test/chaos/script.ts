import { createRandom } from "./random.ts";

/** Whose question, and which of theirs. */
export interface Tag {
  readonly person: number;
  readonly number: number;
}

/** A sentence of an answer: which of how many. */
export interface Part extends Tag {
  readonly part: number;
  readonly of: number;
}

const WORDS = (
  "rain roof cat window river stone bread lamp garden letter mountain winter boat candle road friend music " +
  "paper bridge island cloud morning table forest coffee shadow harbour apple silence engine"
).split(" ");

/** What a person asks; the tag tells it from all other questions. */
export function questionOf({ person, number }: Tag): string {
  return `p${person}q${number} and what comes after that?`;
}

/** What the model says to it, always the same: each sentence begins with a tag of its own. */
export function answerTo(tag: Tag): string {
  const { person, number } = tag;
  const random = createRandom(person * 7919 + number * 104_729);
  const sentences = sentencesOf(random.next(), random.between(0, 9));
  return Array.from({ length: sentences }, (_, index) => {
    const words = Array.from({ length: random.between(7, 13) }, () => WORDS[random.between(0, 29)]);
    const gap = (index + 1) % 4 === 0 ? "\n\n" : " ";
    return `p${person}q${number}s${index + 1}of${sentences} ${words.join(" ")}.${gap}`;
  })
    .join("")
    .trim();
}

/** Most answers are short; the longest take two messages on Telegram and three on Discord. */
function sentencesOf(kind: number, more: number): number {
  if (kind < 0.65) return 1 + Math.floor(more / 3);
  return kind < 0.85 ? 5 + more : 30 + 3 * more;
}

/** All tags in a text, those of sentences too. */
export function tagsIn(text: string): Tag[] {
  return [...text.matchAll(/\bp(\d+)q(\d+)/g)].map(([, person, number]) => ({
    person: Number(person),
    number: Number(number),
  }));
}

/** All sentences in a text, by their tags. */
export function partsIn(text: string): Part[] {
  return [...text.matchAll(/\bp(\d+)q(\d+)s(\d+)of(\d+)\b/g)].map(([, person, number, part, of]) => ({
    person: Number(person),
    number: Number(number),
    part: Number(part),
    of: Number(of),
  }));
}

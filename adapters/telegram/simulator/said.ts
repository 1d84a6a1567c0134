import type { SimulatedEntity } from "./entities.ts";
import type { SimulatedText } from "./text.ts";

/** What Telegram recognises in what people write; code, links and hashtags are not needed here. */
const RECOGNISED: readonly (readonly [type: string, pattern: RegExp])[] = [
  ["bot_command", /(?<![\w/@])\/[a-z0-9_]{1,64}(?:@\w{3,32})?(?!\w)/gi],
  ["mention", /(?<![\w/])@\w{3,32}/g],
];

/** A person's words with the entities that Telegram adds by itself. */
export function saidBy(text: string): SimulatedText {
  const entities = RECOGNISED.flatMap(([type, pattern]): SimulatedEntity[] =>
    [...text.matchAll(pattern)].map((match) => ({ type, offset: match.index, length: match[0].length })),
  );
  return { text, entities: entities.toSorted((a, b) => a.offset - b.offset) };
}

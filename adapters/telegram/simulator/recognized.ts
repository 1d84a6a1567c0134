import type { SimulatedEntity } from "./entities.ts";
import type { SimulatedText } from "./text.ts";

/** The entities that Telegram recognises in people's messages. The bot needs no code, links or hashtags. */
const RECOGNIZED: readonly (readonly [type: string, pattern: RegExp])[] = [
  ["bot_command", /(?<![\w/@])\/[a-z0-9_]{1,64}(?:@\w{3,32})?(?!\w)/gi],
  ["mention", /(?<![\w/])@\w{3,32}/g],
];

/** A person's text with the entities that Telegram adds to it. */
export function withRecognizedEntities(text: string): SimulatedText {
  const entities = RECOGNIZED.flatMap(([type, pattern]): SimulatedEntity[] =>
    [...text.matchAll(pattern)].map((match) => ({ type, offset: match.index, length: match[0].length })),
  );
  return { text, entities: entities.toSorted((a, b) => a.offset - b.offset) };
}

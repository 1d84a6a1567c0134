import { fixEntities, readEntities, type SimulatedEntity } from "./entities.ts";
import { badRequest } from "./refusal.ts";

/** Words and their formatting, as Telegram keeps them. */
export interface SimulatedText {
  readonly text: string;
  readonly entities: readonly SimulatedEntity[];
}

/** After cleaning, in code points (tdlib, MessageContent.cpp); before it, in bytes (telegram-bot-api, Client.cpp). */
const LONGEST_TEXT = 4096;
const MOST_BYTES = 32_768;

/** What Telegram makes of `text` and `entities` of a request, or why it refuses them. */
export function readText(fields: Readonly<Record<string, unknown>>): SimulatedText {
  const text = typeof fields["text"] === "number" ? String(fields["text"]) : (fields["text"] ?? "");
  if (typeof text !== "string" || text === "") throw badRequest("message text is empty");
  if (fields["parse_mode"]) throw badRequest("parse_mode is not known to this simulator: send entities");
  if (/\p{Surrogate}/u.test(text)) throw badRequest("strings must be encoded in UTF-8");
  if (Buffer.byteLength(text) > MOST_BYTES) throw badRequest("text is too long");
  const kept = trim(clean(text, readEntities(fields["entities"])));
  if (kept.text === "") throw badRequest("text must be non-empty");
  if (Array.from(kept.text).length > LONGEST_TEXT) throw badRequest("message is too long");
  return { text: kept.text, entities: fixEntities(kept.entities) };
}

/** Characters that Telegram takes out, and those that it makes a space (tdlib, misc.cpp). */
const REMOVED = /\r|[\u2028-\u202E]|\u0333|\u033F|\u030A/u;
const isBlanked = (character: string) => character <= " " && character !== "\n";

function clean(text: string, entities: readonly SimulatedEntity[]): SimulatedText {
  let cleaned = "";
  // Where each UTF-16 unit of the text has gone; undefined in the middle of a surrogate pair.
  const places: (number | undefined)[] = [];
  for (const character of text) {
    places.push(cleaned.length);
    if (character.length > 1) places.push(undefined);
    if (!REMOVED.test(character)) cleaned += isBlanked(character) ? " " : character;
  }
  places.push(cleaned.length);
  return { text: cleaned, entities: entities.map((entity) => move(entity, places)) };
}

function move(entity: SimulatedEntity, places: readonly (number | undefined)[]): SimulatedEntity {
  const place = (at: number, verb: "beginning" | "ending") => {
    if (at >= places.length) {
      throw badRequest(
        `entity ${verb} at UTF-16 offset ${at} ends after the end of the text at UTF-16 offset ${places.length - 1}`,
      );
    }
    const found = places[at];
    if (found !== undefined) return found;
    throw badRequest(
      `entity ${verb} at UTF-16 offset ${at} ${verb === "beginning" ? "starts" : "ends"} in a middle of a UTF-16 symbol`,
    );
  };
  const offset = place(entity.offset, "beginning");
  return { ...entity, offset, length: place(entity.offset + entity.length, "ending") - offset };
}

/** Blanks go at both ends, but at the beginning only as far as no formatting begins there. */
function trim({ text, entities }: SimulatedText): SimulatedText {
  const blanks = /^[ \n]*/.exec(text)?.[0].length ?? 0;
  const isBlank = blanks === text.length;
  const from = isBlank ? blanks : Math.min(blanks, ...entities.map(({ offset }) => offset));
  const trimmed = text.slice(from).replace(/[ \n]+$/, "");
  return {
    text: trimmed,
    entities: entities.map((entity) => {
      const offset = Math.min(entity.offset - from, trimmed.length);
      return { ...entity, offset, length: Math.min(entity.length, trimmed.length - offset) };
    }),
  };
}

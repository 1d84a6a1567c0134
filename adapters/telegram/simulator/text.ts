import { cleanCharacter, cleanDirections } from "./clean.ts";
import { fixEntities, keepMost, readEntities, type SimulatedEntity } from "./entities.ts";
import { badRequest } from "./refusal.ts";

/** Words and their formatting, as Telegram keeps them. */
export interface SimulatedText {
  readonly text: string;
  readonly entities: readonly SimulatedEntity[];
}

/** After cleaning, in code points (tdlib, MessageContent.cpp); before it, in bytes (telegram-bot-api, Client.cpp). */
const MAX_TEXT = 4096;
const MAX_BYTES = 32_768;

/** Where nothing else is, nothing is seen (tdlib, misc.cpp: is_empty_string). */
const EMPTY =
  /^[\n \u00A0\u1680\u180E\u2000-\u200F\u202F\u205F\u2800\u3000\uFEFF\uFFFC\u{E0000}-\u{E007F}]*$/u;

/**
 * What Telegram makes of `text` and `entities` of a request, or why it refuses them: tdlib's fix_formatted_text
 * and get_input_message_entities, without what it finds by itself, such as addresses.
 */
export function readText(fields: Readonly<Record<string, unknown>>): SimulatedText {
  const text = typeof fields["text"] === "number" ? String(fields["text"]) : (fields["text"] ?? "");
  if (typeof text !== "string" || text === "") throw badRequest("message text is empty");
  if (fields["parse_mode"]) throw badRequest("parse_mode is not known to this simulator: send entities");
  if (/\p{Surrogate}/u.test(text)) throw badRequest("strings must be encoded in UTF-8");
  if (Buffer.byteLength(text) > MAX_BYTES) throw badRequest("text is too long");
  const fixed = fixEntities(readEntities(fields["entities"]));
  checkPlaces(text, fixed);
  const kept = trim(cleanText(text, fixed));
  if (EMPTY.test(kept.text)) throw badRequest("text must be non-empty");
  if (Array.from(kept.text).length > MAX_TEXT) throw badRequest("message is too long");
  return { text: kept.text, entities: keepMost(kept.entities) };
}

/** Refuses what begins or ends beyond the text or within a character; the first place that is wrong is named. */
function checkPlaces(text: string, entities: readonly SimulatedEntity[]): void {
  const ends = entities.map(({ offset, length }) => ({
    at: offset + length,
    what: `entity beginning at UTF-16 offset ${offset} ends`,
  }));
  const begins = entities.map(({ offset }) => ({ at: offset, what: "entity begins" }));
  const inside = [...ends.toReversed(), ...begins].filter(({ at }) => isInside(text, at));
  const [first] = inside.toSorted((a, b) => a.at - b.at);
  if (first) {
    const byte = Buffer.byteLength(text.slice(0, first.at + 1));
    throw badRequest(`${first.what} in a middle of a UTF-16 symbol at byte offset ${byte}`);
  }
  const beyond = entities.find(({ offset }) => offset > text.length);
  if (beyond) throw badRequest(`entity begins after the end of the text at UTF-16 offset ${beyond.offset}`);
  const long = entities.findLast(({ offset, length }) => offset + length > text.length);
  if (!long) return;
  throw badRequest(
    `entity beginning at UTF-16 offset ${long.offset} ends after the end of the text at UTF-16 offset ${long.offset + long.length}`,
  );
}

/** Whether a place is in the middle of a surrogate pair; the text has no halves of one. */
function isInside(text: string, at: number): boolean {
  return /^[\uDC00-\uDFFF]/.test(text.slice(at, at + 1));
}

function cleanText(text: string, entities: readonly SimulatedEntity[]): SimulatedText {
  let cleaned = "";
  /** Where each UTF-16 unit of the text has gone. */
  const places: number[] = [];
  for (const character of text) {
    for (let unit = 0; unit < character.length; unit += 1) places.push(cleaned.length);
    cleaned += cleanCharacter(character);
  }
  places.push(cleaned.length);
  const moved = entities.map((entity) => {
    const offset = places[entity.offset] ?? 0;
    return { ...entity, offset, length: (places[entity.offset + entity.length] ?? 0) - offset };
  });
  return { text: cleanDirections(cleaned), entities: fixEntities(moved) };
}

/** Blanks go at both ends, but at the beginning only as far as no formatting begins there. */
function trim({ text, entities }: SimulatedText): SimulatedText {
  const end = text.length - (/(?<![ \n])[ \n]+$/.exec(text)?.[0].length ?? 0);
  const blanks = /^[ \n]*/.exec(text)?.[0].length ?? 0;
  const start = Math.min(blanks, end, entities[0]?.offset ?? end);
  return {
    text: text.slice(start, end),
    entities: entities
      .filter(({ offset }) => offset < end)
      .map((entity) => ({
        ...entity,
        offset: entity.offset - start,
        length: Math.min(entity.offset + entity.length, end) - entity.offset,
      })),
  };
}

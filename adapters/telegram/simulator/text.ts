import { cleanCharacter, cleanDirections } from "./clean.ts";
import { fixEntities, limitEntities, readEntities, type SimulatedEntity } from "./entities.ts";
import { badRequest } from "./refusal.ts";

/** Text with its formatting, as Telegram stores it. */
export interface SimulatedText {
  readonly text: string;
  readonly entities: readonly SimulatedEntity[];
}

/** The longest text after cleaning, in code points (tdlib, MessageContent.cpp). */
const MAX_TEXT = 4096;

/** The longest text before cleaning, in bytes (telegram-bot-api, Client.cpp). */
const MAX_BYTES = 32_768;

/** A text without visible characters (tdlib, misc.cpp: is_empty_string). */
const EMPTY =
  /^[\n \u00A0\u1680\u180E\u2000-\u200F\u202F\u205F\u2800\u3000\uFEFF\uFFFC\u{E0000}-\u{E007F}]*$/u;

/**
 * Reads `text` and `entities` of a request as Telegram does (tdlib's fix_formatted_text and get_input_message_entities),
 * but without detecting entities such as addresses. Throws Telegram's refusal if they are invalid.
 */
export function readText(fields: Readonly<Record<string, unknown>>): SimulatedText {
  const text = typeof fields["text"] === "number" ? String(fields["text"]) : (fields["text"] ?? "");
  if (typeof text !== "string" || text === "") throw badRequest("message text is empty");
  if (fields["parse_mode"]) throw badRequest("this simulator does not support parse_mode: send entities");
  if (/\p{Surrogate}/u.test(text)) throw badRequest("strings must be encoded in UTF-8");
  if (Buffer.byteLength(text) > MAX_BYTES) throw badRequest("text is too long");
  const fixed = fixEntities(readEntities(fields["entities"]));
  checkEdges(text, fixed);
  const trimmed = trim(cleanText(text, fixed));
  if (EMPTY.test(trimmed.text)) throw badRequest("text must be non-empty");
  if (Array.from(trimmed.text).length > MAX_TEXT) throw badRequest("message is too long");
  return { text: trimmed.text, entities: limitEntities(trimmed.entities) };
}

/** Refuses entities that begin or end beyond the text or inside a character. The refusal names the first such offset. */
function checkEdges(text: string, entities: readonly SimulatedEntity[]): void {
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

/** Whether an offset is in the middle of a surrogate pair. The text has no unpaired surrogates. */
function isInside(text: string, at: number): boolean {
  return /^[\uDC00-\uDFFF]/.test(text.slice(at, at + 1));
}

function cleanText(text: string, entities: readonly SimulatedEntity[]): SimulatedText {
  let cleaned = "";
  /** The new offset of each UTF-16 unit of the text. */
  const offsets: number[] = [];
  for (const character of text) {
    for (let unit = 0; unit < character.length; unit += 1) offsets.push(cleaned.length);
    cleaned += cleanCharacter(character);
  }
  offsets.push(cleaned.length);
  const moved = entities.map((entity) => {
    const offset = offsets[entity.offset] ?? 0;
    return { ...entity, offset, length: (offsets[entity.offset + entity.length] ?? 0) - offset };
  });
  return { text: cleanDirections(cleaned), entities: fixEntities(moved) };
}

/** Trims blanks at both ends, but at the beginning only up to the first entity. */
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

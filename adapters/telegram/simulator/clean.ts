/** The characters that Telegram removes, and those that it replaces with a space (tdlib, misc.cpp). */
const REMOVED = /[\r\u2028-\u202E\u0333\u033F\u030A]/u;
const BLANKED = /[\0-\x09\v\f\x0E-\x1F]/u;

/** Consecutive direction marks (tdlib, replace_offending_characters). */
const DIRECTIONS = /[\u200E\u200F](?=[\u200E\u200F])/gu;

/** Cleans one character; returns an empty string for a removed one. */
export function cleanCharacter(character: string): string {
  if (REMOVED.test(character)) return "";
  return BLANKED.test(character) ? " " : character;
}

/** Replaces direction marks before another one with a zero-width non-joiner, which is invisible too. */
export function cleanDirections(text: string): string {
  return text.replace(DIRECTIONS, (marks) => "\u200C".repeat(marks.length));
}

/** Cleans a text as Telegram does. */
export function clean(text: string): string {
  return cleanDirections(Array.from(text, cleanCharacter).join(""));
}

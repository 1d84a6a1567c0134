/** Characters that Telegram takes out, and those that it makes a space (tdlib, misc.cpp). */
const REMOVED = /[\r\u2028-\u202E\u0333\u033F\u030A]/u;
const BLANKED = /[\0-\x09\v\f\x0E-\x1F]/u;

/** Marks of the direction of writing that follow each other (tdlib, replace_offending_characters). */
const DIRECTIONS = /[\u200E\u200F](?=[\u200E\u200F])/gu;

/** One character as Telegram keeps it, or nothing. */
export function cleanCharacter(character: string): string {
  if (REMOVED.test(character)) return "";
  return BLANKED.test(character) ? " " : character;
}

/** Of many marks of direction only the last stays; the others show nothing either. */
export function cleanDirections(text: string): string {
  return text.replace(DIRECTIONS, (marks) => "\u200C".repeat(marks.length));
}

/** A text without the characters that Telegram does not keep. */
export function clean(text: string): string {
  return cleanDirections(Array.from(text, cleanCharacter).join(""));
}

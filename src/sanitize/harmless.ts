/**
 * Texts from outside that people read in a terminal. Control characters make it do things: move, erase, answer, name its
 * window; those that turn the direction show another text than there is. C1 (U+0080 to U+009F) are short forms of the same
 * commands.
 */

/** What is left in JSON, which writes the others as escapes. */
const IN_JSON = /[\u007F-\u009F\u2028-\u202E\u2066-\u2069]/g;

const STEERING = /(?![\n\t])[\p{Cc}\p{Surrogate}\u2028-\u202E\u2066-\u2069]/gu;

/** Invisible ones too, but for the joiners that emoji and some scripts need. */
const NOT_IN_LINE = /(?:(?![\u200C\u200D])[\p{Cc}\p{Cf}\p{Surrogate}\u2028\u2029])+/gu;

/** An escape that JSON has written, with what it stands for in a terminal. */
const ESCAPE = /\\(?:u00[01][0-9a-f]|[^u]|u)/gi;

/** A text of several lines without what steers a terminal. */
export function harmless(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(STEERING, "");
}

/** A name, or another text that is to stay on its line. */
export function oneLine(text: string): string {
  return text.replace(NOT_IN_LINE, " ");
}

/** A text for a terminal, with its colours, without what turns the direction. */
export function withoutTurns(text: string): string {
  return text.replace(/[\u202A-\u202E\u2066-\u2069]/g, "");
}

/** JSON that holds the same, but nothing that steers a terminal. */
export function harmlessJson(json: string): string {
  return json.replace(IN_JSON, escaped);
}

/** JSON whose strings, once they are read, do not steer a terminal: what would is written out, such as \u001b. */
export function shownJson(json: string): string {
  return json
    .replace(ESCAPE, (escape) => (/^\\[bfr]|^\\u00/i.test(escape) ? `\\${escape}` : escape))
    .replace(IN_JSON, (character) => `\\${escaped(character)}`);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

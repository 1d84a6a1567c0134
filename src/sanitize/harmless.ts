/**
 * Makes untrusted text safe to show in a terminal. Control characters can move the cursor, erase text, send input or set
 * the title of the window; bidirectional ones can make text look like another. The C1 controls (U+0080 to U+009F) are
 * short forms of escape sequences.
 */

/** Steering characters that JSON leaves as they are; it escapes all others. */
const IN_JSON = /[\u007F-\u009F\u2028-\u202E\u2066-\u2069]/g;

const STEERING = /(?![\n\t])[\p{Cc}\p{Surrogate}\u2028-\u202E\u2066-\u2069]/gu;

/** Invisible characters as well, except for the joiners that emoji and some scripts need. */
const NOT_IN_LINE = /(?:(?![\u200C\u200D])[\p{Cc}\p{Cf}\p{Surrogate}\u2028\u2029])+/gu;

/** An escape sequence of JSON; those for control characters are escaped once more. */
const ESCAPE = /\\(?:u00[01][0-9a-f]|[^u]|u)/gi;

/** Removes everything that controls a terminal from a text of several lines. */
export function harmless(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(STEERING, "");
}

/** The same for a name, or another text that must stay on one line. */
export function oneLine(text: string): string {
  return text.replace(NOT_IN_LINE, " ");
}

/** Removes bidirectional controls from a text for a terminal, but keeps its colours. */
export function withoutTurns(text: string): string {
  return text.replace(/[\u202A-\u202E\u2066-\u2069]/g, "");
}

/** Escapes everything that controls a terminal in JSON; the JSON means the same. */
export function harmlessJson(json: string): string {
  return json.replace(IN_JSON, escaped);
}

/** Changes JSON so that even its parsed strings do not control a terminal: they show escapes such as \u001b as text. */
export function shownJson(json: string): string {
  return json
    .replace(ESCAPE, (escape) => (/^\\[bfr]|^\\u00/i.test(escape) ? `\\${escape}` : escape))
    .replace(IN_JSON, (character) => `\\${escaped(character)}`);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

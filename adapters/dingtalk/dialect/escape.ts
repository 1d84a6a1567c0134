/** Invisible characters and those that change the text direction, except tabs and line breaks. */
const CONTROLS = /(?![\n\t])[\p{Cc}\p{Surrogate}\u202a-\u202e\u2066-\u2069]/gu;

/** Removes control characters, which no client shows. */
export function cleaned(text: string): string {
  return PLAIN.test(text) ? text : text.replace(CONTROLS, "");
}

const PLAIN = /^[\n\t -~]*$/;

/**
 * Escapes a text's Markdown, except marks that count only at the beginning of a line. DingTalk supports backslash escapes,
 * and HTML tags: a desktop client applies a tag, and a phone shows nothing of the whole message (eryajf/chatgpt-dingtalk
 * #213, #222). It escapes as little as possible, because weaker clients show the backslashes.
 */
export function escaped(text: string): string {
  if (!SPECIAL.test(text)) return cleaned(text);
  return cleaned(text)
    .replace(
      // oxlint-disable-next-line regexp/no-super-linear-move -- Only a tilde looks back, over the blanks right before it.
      /\\(?=[!-/:-@[-`{-~\n]|\s*$)|`|(?<!\S )[*_]|[*_](?! \S)|~(?=~|\s*$)|(?<=~|^\s*)~|\](?=[(:[]|\s*$)/g,
      "\\$&",
    )
    .replace(/&(?=#?\w{1,32};)/g, "&amp;")
    .replace(/<(?=[a-z/!?]|\s*$)/gi, "&lt;");
}

const SPECIAL = /[\\`*_~\]&<\p{Cc}\p{Cf}\p{Surrogate}]/u;

/** Escapes line starts that look like headings, quotes, lists, tasks, rules, underlines or the second line of a table. */
export function withPlainStarts(lines: string): string {
  return lines
    .replace(/^[^\S\n]+/gm, "")
    .replace(/^(?:#{1,6}(?=\s|$)|>|[-+*_](?=\s|$)|\[(?=[ x]\]\s)|(?:=+[ \t]*|[-:|][-:| \t]*)$)/gim, "\\$&")
    .replace(/^(\d{1,9})(?=[.)](?:\s|$))/gm, "$1\\");
}

/** Prints inline code, with a fence longer than any run of backticks in it; empty code prints nothing. */
export function inlineCode(text: string): string {
  const code = cleaned(text).replaceAll("\n", " ");
  if (!code) return "";
  const fence = "`".repeat(longestRun(code, /`+/g) + 1);
  const padded = /^`|`$|^ (?= *[^ ])(?=.* $)/.test(code) ? ` ${code} ` : code;
  return fence + padded + fence;
}

/** Prints a code block. The code needs no escapes, because tags are literal here. */
export function codeBlock(text: string, language: string): string {
  const code = cleaned(text);
  const fence = "`".repeat(Math.max(3, longestRun(code, /^[^\S\n\r\u2028\u2029]*`{3,}/gm) + 1));
  return `${fence}${LANGUAGE.test(language) ? language : ""}\n${code}\n${fence}`;
}

const LANGUAGE = /^[a-z0-9_+\-.#]{1,40}$/i;

function longestRun(text: string, pattern: RegExp): number {
  return (text.match(pattern) ?? []).reduce((longest, run) => Math.max(longest, run.length), 0);
}

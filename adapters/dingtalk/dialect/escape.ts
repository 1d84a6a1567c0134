/** What is not seen, or turns the direction of what stands around it; a tab and a line break stay. */
const CONTROLS = /(?![\n\t])[\p{Cc}\p{Surrogate}\u202a-\u202e\u2066-\u2069]/gu;

/** Text without what no client shows. */
export function cleaned(text: string): string {
  return PLAIN.test(text) ? text : text.replace(CONTROLS, "");
}

const PLAIN = /^[\n\t -~]*$/;

/**
 * Text that means nothing in Markdown, but for what only the beginning of a line can mean. DingTalk takes a
 * backslash as Markdown does, and tags as HTML: a computer obeys them and a telephone shows nothing of the whole
 * message (eryajf/chatgpt-dingtalk #213, #222). Little is escaped, so that little is seen where a client is worse.
 */
export function escaped(text: string): string {
  if (!SPECIAL.test(text)) return cleaned(text);
  return cleaned(text)
    .replace(
      // oxlint-disable-next-line regexp/no-super-linear-move -- A tilde looks back over the blanks right before it, and no other does.
      /\\(?=[!-/:-@[-`{-~\n]|\s*$)|`|(?<!\S )[*_]|[*_](?! \S)|~(?=~|\s*$)|(?<=~|^\s*)~|\](?=[(:[]|\s*$)/g,
      "\\$&",
    )
    .replace(/&(?=#?\w{1,32};)/g, "&amp;")
    .replace(/<(?=[a-z/!?]|\s*$)/gi, "&lt;");
}

const SPECIAL = /[\\`*_~\]&<\p{Cc}\p{Cf}\p{Surrogate}]/u;

/** Lines that only look like headings, quotes, lists, tasks, rules, underlines or the second line of a table. */
export function withPlainStarts(lines: string): string {
  return lines
    .replace(/^[^\S\n]+/gm, "")
    .replace(/^(?:#{1,6}(?=\s|$)|>|[-+*_](?=\s|$)|\[(?=[ x]\]\s)|(?:=+[ \t]*|[-:|][-:| \t]*)$)/gim, "\\$&")
    .replace(/^(\d{1,9})(?=[.)](?:\s|$))/gm, "$1\\");
}

/** Code within a line, between as many backticks as it takes; nothing if there is none. */
export function inlineCode(text: string): string {
  const code = cleaned(text).replaceAll("\n", " ");
  if (!code) return "";
  const fence = "`".repeat(longestRun(code, /`+/g) + 1);
  const padded = /^`|`$|^ (?= *[^ ])(?=.* $)/.test(code) ? ` ${code} ` : code;
  return fence + padded + fence;
}

/** A block of code. What it holds stays as it is: tags are code here. */
export function codeBlock(text: string, language: string): string {
  const code = cleaned(text);
  const fence = "`".repeat(Math.max(3, longestRun(code, /^[^\S\n\r\u2028\u2029]*`{3,}/gm) + 1));
  return `${fence}${LANGUAGE.test(language) ? language : ""}\n${code}\n${fence}`;
}

const LANGUAGE = /^[a-z0-9_+\-.#]{1,40}$/i;

function longestRun(text: string, pattern: RegExp): number {
  return (text.match(pattern) ?? []).reduce((longest, run) => Math.max(longest, run.length), 0);
}

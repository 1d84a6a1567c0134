import type { Span, Style } from "../../../src/text/block.ts";
import { type Link, spellOutLinks } from "../../../src/text/links.ts";
import { writeSpans } from "../../../src/text/dialect/nest.ts";
import { APART, escaped, inlineCode } from "./escape.ts";

const MARKS: Readonly<Record<Style, string>> = {
  bold: "**",
  italic: "*",
  strike: "~~",
  spoiler: "||",
  code: "", // printed separately, because its fence depends on the text
};

/** Prints spans as Discord's Markdown. */
export function printSpans(spans: readonly Span[]): string {
  const output = createOutput();
  let lineStart = true;
  /** Whether the last part is a mark that opens a style or a link, and whether it is any mark. */
  let opened = false;
  let marked = false;
  const open: Style[] = [];
  const codes = new Set<Span>();
  const addMark = (part: string, apart: boolean, opens: boolean) => {
    output.add(part, apart);
    opened = opens;
    marked = true;
    lineStart = false;
  };
  const parts = spellOutLinks(spans, isLinkable).map((span) => (isCode(span) ? asCode(span, codes) : span));
  writeSpans(parts, {
    open: (mark) => {
      if ("href" in mark) return addMark("[", false, true);
      open.push(mark.style);
      const part = MARKS[mark.style];
      // Discord would read two asterisks and one as three.
      addMark(part, marked && part.startsWith("*") && output.last().endsWith("*"), true);
    },
    close: (mark) => {
      if ("href" in mark) return addMark(`](<${safeAddress(mark.href, open)}>)`, false, false);
      open.pop();
      addMark(MARKS[mark.style], !marked && hidesEnd(mark.style, output.last()), false);
    },
    text: (span) => {
      // Discord parses the content of a style by itself, so it may begin with a mark of a line's start.
      const part = codes.has(span) ? inlineCode(span.text) : printText(span, opened || lineStart, open);
      output.add(part, startsApart(part, output.last(), opened && output.last() === MARKS.italic));
      lineStart = /\S/.test(part)
        ? part.slice(part.trimEnd().length).includes("\n")
        : lineStart || part.includes("\n");
      opened = false;
      marked = false;
    },
  });
  return output.text();
}

/** Longest distance, in UTF-16 units, from the end of an emoji's name back to its colon (API reference, "Emoji": 32). */
const MAX_EMOJI_NAME = 40;

/**
 * Joins parts, with a separator where `apart` asks for one or where two parts would form an emoji. It tracks the end of
 * the text separately, because searching the whole text for each part would be slow.
 */
function createOutput() {
  let text = "";
  let last = "";
  let tail = "";
  return {
    text: () => text,
    /** The last part, without its separator. */
    last: () => last,
    add(part: string, apart: boolean): void {
      const isSeam = /:[\w+-]*$/.test(tail) && /^[\w+-]*:/.test(part);
      const added = apart || isSeam ? APART + part : part;
      text += added;
      tail = (tail + added).slice(-MAX_EMOJI_NAME);
      last = part;
    },
  };
}

/** Whether to separate a part: italics cannot begin with a space, nor code after a backtick, and "](" makes a link. */
function startsApart(next: string, before: string, italic: boolean): boolean {
  if (italic && /^\s/.test(next)) return true;
  return (next.startsWith("`") && before.endsWith("`")) || (next.startsWith("(") && before.endsWith("]"));
}

/** Whether Discord would miss the end of a style: italics after a space, or a mark after one of its own characters. */
function hidesEnd(style: Style, before: string): boolean {
  if (style === "italic") return /\s$/.test(before);
  return style !== "bold" && before.endsWith(MARKS[style].charAt(0));
}

function isCode({ styles }: Span): boolean {
  return styles?.includes("code") ?? false;
}

/**
 * Removes the styles of inline code that its text would end: Discord looks for the end of a style before it looks for
 * code, and separators would falsify the code. Only a spoiler must stay, so there the text gets separators.
 */
function asCode(span: Span, codes: Set<Span>): Span {
  const { text, styles = [] } = span;
  const kept = styles.filter(
    (style) => style !== "code" && (style === "spoiler" || text.search(ENDS[style]) < 0),
  );
  const safe = kept.includes("spoiler") ? text.replaceAll(ENDS.spoiler, `|${APART}`) : text;
  const code = { ...span, styles: kept, text: safe };
  codes.add(code);
  return code;
}

/** Text that ends a style, even within code. */
const ENDS: Readonly<Record<Style, RegExp>> = {
  bold: /\*/g,
  italic: /\*/g,
  strike: /~(?=~|$)/g,
  spoiler: /\|(?=\||$)/g,
  code: /$^/g,
};

function printText({ text, href }: Span, atLineStart: boolean, open: readonly Style[]): string {
  // In an address a backslash would be literal, so it gets angle brackets instead of escapes.
  if (ADDRESS.test(text)) return `<${safeAddress(text, open)}>`;
  const safe = escaped(text, atLineStart);
  return href ? safe.replace(/(?<!\\)[[\]]/g, "\\$&") : safe;
}

const ADDRESS = /^https?:\/\/[^\s<>]+$/i;

/** Whether Discord accepts a link: to prevent deception it does not if the text looks like an address. */
function isLinkable({ href, spans }: Link): boolean {
  const text = spans.map((span) => span.text).join("");
  return ADDRESS.test(href ?? "") && !/https?:\/\//i.test(text) && BALANCED.test(text);
}

/** The brackets in the text of a link must be balanced, escaped or not. */
const BALANCED = /^[^[\]]*(?:\[[^[\]]*\][^[\]]*)*$/;

/** Percent-encodes characters that would end a style or the link; the address stays equivalent. */
function safeAddress(href: string, open: readonly Style[]): string {
  const address = (PARENTHESES_IN_PAIRS.test(href) ? href : href.replace(/[()]/g, percent)).replace(
    /\\/g,
    percent,
  );
  return open.reduce((safe, style) => safe.replaceAll(ENDS[style], percent), address);
}

const PARENTHESES_IN_PAIRS = /^[^()]*(?:\([^()]*\)[^()]*)*$/;

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

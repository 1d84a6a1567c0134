import type { Span, Style } from "../../../src/text/block.ts";
import { type Link, spellOutLinks } from "../../../src/text/links.ts";
import { writeSpans } from "../../../src/text/dialect/nest.ts";
import { APART, escaped, inlineCode } from "./escape.ts";

const MARKS: Readonly<Record<Style, string>> = {
  bold: "**",
  italic: "*",
  strike: "~~",
  spoiler: "||",
  code: "", // printed by itself: its marks depend on the text
};

/** No name of an emoji is longer, in UTF-16 units (API reference, "Emoji": 32), with its colon. */
const MAX_EMOJI_NAME = 40;

/** Spans as Discord's Markdown. */
export function printSpans(spans: readonly Span[]): string {
  // What is looked at while it grows is kept apart: to look at the whole text each time is slow.
  let text = "";
  let last = "";
  /** As far back as an emoji could begin. */
  let tail = "";
  let lineStart = true;
  /** The last is a mark that opens a style or a link, or any mark. */
  let opened = false;
  let marked = false;
  const open: Style[] = [];
  const codes = new Set<Span>();
  const add = (piece: string, apart: boolean) => {
    const isSeam = /:[\w+-]*$/.test(tail) && /^[\w+-]*:/.test(piece);
    const added = apart || isSeam ? APART + piece : piece;
    text += added;
    tail = (tail + added).slice(-MAX_EMOJI_NAME);
    last = piece;
  };
  const addMark = (piece: string, apart: boolean, opens: boolean) => {
    add(piece, apart);
    opened = opens;
    marked = true;
    lineStart = false;
  };
  const pieces = spellOutLinks(spans, isLinkable).map((span) => (isCode(span) ? asCode(span, codes) : span));
  writeSpans(pieces, {
    open: (mark) => {
      if ("href" in mark) return addMark("[", false, true);
      open.push(mark.style);
      const piece = MARKS[mark.style];
      // Two asterisks and one would be read as three.
      addMark(piece, marked && piece.startsWith("*") && last.endsWith("*"), true);
    },
    close: (mark) => {
      if ("href" in mark) return addMark(`](<${safeAddress(mark.href, open)}>)`, false, false);
      open.pop();
      addMark(MARKS[mark.style], !marked && hidesEnd(mark.style, last), false);
    },
    text: (span) => {
      // What stands in a style is read for itself: it may begin with what begins a line.
      const piece = codes.has(span) ? inlineCode(span.text) : printText(span, opened || lineStart, open);
      add(piece, startsApart(piece, last, opened && last === MARKS.italic));
      lineStart = /\S/.test(piece)
        ? piece.slice(piece.trimEnd().length).includes("\n")
        : lineStart || piece.includes("\n");
      opened = false;
      marked = false;
    },
  });
  return text;
}

/** Italics do not begin before a space, code not behind a backtick, and a bracket would make a link. */
function startsApart(next: string, before: string, italic: boolean): boolean {
  if (italic && /^\s/.test(next)) return true;
  return (next.startsWith("`") && before.endsWith("`")) || (next.startsWith("(") && before.endsWith("]"));
}

/** Whether the end of a style would not be seen: italics behind a space, a mark behind one of its characters. */
function hidesEnd(style: Style, before: string): boolean {
  if (style === "italic") return /\s$/.test(before);
  return style !== "bold" && before.endsWith(MARKS[style].charAt(0));
}

function isCode({ styles }: Span): boolean {
  return styles?.includes("code") ?? false;
}

/**
 * Discord looks for the end of a style before it looks for code: what is in code would end the style. Then the
 * code goes without it, as nothing may stand between its characters; only a spoiler must stay.
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

/** What ends a style, wherever it stands. */
const ENDS: Readonly<Record<Style, RegExp>> = {
  bold: /\*/g,
  italic: /\*/g,
  strike: /~(?=~|$)/g,
  spoiler: /\|(?=\||$)/g,
  code: /$^/g,
};

function printText({ text, href }: Span, atLineStart: boolean, open: readonly Style[]): string {
  // Within an address a backslash would be part of it.
  if (ADDRESS.test(text)) return `<${safeAddress(text, open)}>`;
  const safe = escaped(text, atLineStart);
  return href ? safe.replace(/(?<!\\)[[\]]/g, "\\$&") : safe;
}

const ADDRESS = /^https?:\/\/[^\s<>]+$/i;

/** Discord shows a link as written if its text looks like an address, lest it lead elsewhere. */
function isLinkable({ href, spans }: Link): boolean {
  const text = spans.map((span) => span.text).join("");
  return ADDRESS.test(href ?? "") && !/https?:\/\//i.test(text) && BALANCED.test(text);
}

/** Brackets in the text of a link must come in pairs, escaped or not. */
const BALANCED = /^[^[\]]*(?:\[[^[\]]*\][^[\]]*)*$/;

/** What would end a style or the link is percent-encoded, which leads to the same place. */
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

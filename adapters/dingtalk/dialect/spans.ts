import type { Span, Style } from "../../../src/text/block.ts";
import { type Link, spellOutLinks } from "../../../src/text/links.ts";
import { writeSpans } from "../../../src/text/dialect/nest.ts";
import { joinSpans } from "../../../src/text/spans.ts";
import { escaped, inlineCode } from "./escape.ts";

/** Marks of the styles. Clients without strikethrough show the tildes; spoilers cannot be hidden. */
const MARKS: Readonly<Record<Exclude<Style, "code" | "spoiler">, string>> = {
  bold: "**",
  italic: "*",
  strike: "~~",
};

/** Prints spans as Markdown. Line starts that look like blocks are not escaped yet. */
export function printSpans(spans: readonly Span[]): string {
  const tokens: Token[] = [];
  writeSpans(prepared(spans), {
    open: (mark) => tokens.push("href" in mark ? raw("[") : { kind: "open", text: markOf(mark.style) }),
    close: (mark) =>
      tokens.push(
        "href" in mark ? raw(`](${target(mark.href)})`) : { kind: "close", text: markOf(mark.style) },
      ),
    text: ({ text, styles, href }) => {
      if (styles?.includes("code")) tokens.push(raw(inlineCode(text)));
      else tokens.push({ kind: "text", text: href ? escapedLinkText(text) : escaped(text) });
    },
  });
  return assembled(withTightMarks(tokens));
}

/** Splits styles at line breaks, so that no line depends on another. */
function prepared(spans: readonly Span[]): readonly Span[] {
  const linked = spellOutLinks(spans, isLinkable);
  if (!linked.some(needsWork)) return linked;
  return joinSpans([], linked.flatMap(preparedSpan));
}

function needsWork({ text, styles, href }: Span): boolean {
  return styles?.includes("spoiler") || ((styles ?? href) !== undefined && text.includes("\n"));
}

function preparedSpan(span: Span): Span[] {
  if (!needsWork(span)) return [span];
  const { styles = [], ...plain } = span;
  const kept = styles.filter((style) => style !== "spoiler");
  const look = kept.length > 0 ? { ...plain, styles: kept } : plain;
  if (span.href || kept.includes("code")) return [{ ...look, text: span.text.replaceAll("\n", " ") }];
  return span.text.split(/(\n)/).map((text) => (text === "\n" ? { text } : { ...look, text }));
}

/** Only web addresses become links: other schemes could start programs or actions within DingTalk. */
function isLinkable({ href = "" }: Link): boolean {
  return /^https?:\/\//i.test(href) && URL.canParse(href);
}

function target(href: string): string {
  return href.replace(/[\s<>()\\`"\p{Cc}\p{Surrogate}]/gu, percentEncoded);
}

function percentEncoded(character: string): string {
  return Array.from(
    Buffer.from(character),
    (byte) => `%${byte.toString(16).padStart(2, "0").toUpperCase()}`,
  ).join("");
}

function markOf(style: Style): string {
  return style === "code" || style === "spoiler" ? "" : MARKS[style];
}

/** Escapes the text of a link, including brackets, which would end it. */
function escapedLinkText(text: string): string {
  return escaped(text).replace(/(?<!\\)[[\]]/g, "\\$&");
}

interface Token {
  readonly kind: "open" | "close" | "text" | "raw";
  readonly text: string;
}

function raw(text: string): Token {
  return { kind: "raw", text };
}

/** Moves white space out of marks, which would not be recognized next to it. */
function withTightMarks(tokens: readonly Token[]): Token[] {
  const tight: Token[] = [];
  let space = "";
  for (const token of tokens) {
    if (!token.text) continue;
    if (token.kind === "close") {
      for (let last = tight.at(-1); last?.kind === "text" && /\s$/.test(last.text); last = tight.at(-1)) {
        const kept = last.text.trimEnd();
        space = last.text.slice(kept.length) + space;
        tight.pop();
        if (kept) tight.push({ kind: "text", text: kept });
      }
      if (tight.at(-1)?.kind === "open") tight.pop();
      else tight.push(token);
      continue;
    }
    const begin = token.kind === "text" ? token.text.length - token.text.trimStart().length : 0;
    space += token.text.slice(0, begin);
    if (space) tight.splice(endOfText(tight), 0, { kind: "text", text: space });
    space = "";
    if (begin === 0) tight.push(token);
    else if (begin < token.text.length) tight.push({ kind: "text", text: token.text.slice(begin) });
  }
  if (space) tight.push({ kind: "text", text: space });
  return tight;
}

/** The index after the last token that is not an opening mark. */
function endOfText(tokens: readonly Token[]): number {
  return tokens.findLastIndex(({ kind }) => kind !== "open") + 1;
}

/** A hair space, hardly visible: a mark with it on one side binds to the other side. */
const HAIR = "\u200a";

const SPACE = /^\s/;
const MARK = /^[\p{P}\p{S}]/u;

/**
 * Joins tokens, with hair spaces where CommonMark would misread a mark. Chinese has no spaces that distinguish opening
 * marks from closing ones: between a letter and punctuation CommonMark recognizes neither, and within other marks it may
 * confuse them.
 */
function assembled(tokens: readonly Token[]): string {
  const parts: string[] = [];
  let before = "";
  let depth = 0;
  for (let index = 0; index < tokens.length; ) {
    const { kind, text, end } = runFrom(tokens, index);
    const after = tokens[end]?.text ?? "";
    const isMixed = text.includes("*") && text.includes("~");
    if (kind === "open") {
      if (needsHair({ outside: before, isMarked: isMixed || MARK.test(after), depth })) parts.push(HAIR);
      depth += end - index;
    }
    if (kind === "raw" && text === "[" && before === "!") parts.push(parts.pop()?.replace(/!$/, "\\!") ?? "");
    parts.push(text);
    if (kind === "close") {
      depth -= end - index;
      const isMarked = isMixed || MARK.test(before) || tokens[end]?.kind === "open";
      if (needsHair({ outside: after, isMarked, depth })) parts.push(HAIR);
    }
    before = lastCharacter(parts.at(-1) ?? "") || before;
    index = end;
  }
  return parts.join("");
}

function lastCharacter(text: string): string {
  return /[^][\udc00-\udfff]$/.test(text) ? text.slice(-2) : text.slice(-1);
}

interface Side {
  /** The character outside of the mark. */
  readonly outside: string;
  /** Whether there is punctuation inside of the mark, or another mark outside. */
  readonly isMarked: boolean;
  /** The number of marks around it. */
  readonly depth: number;
}

function needsHair({ outside, isMarked, depth }: Side): boolean {
  if (!outside || SPACE.test(outside)) return false;
  return depth > 0 || (isMarked && (/^[*~]/.test(outside) || !MARK.test(outside)));
}

/** Combines adjacent opening marks, or adjacent closing marks, into one. */
function runFrom(tokens: readonly Token[], start: number): Token & { readonly end: number } {
  const { kind, text } = tokens[start] as Token;
  if (kind === "text" || kind === "raw") return { kind, text, end: start + 1 };
  let end = start + 1;
  let run = text;
  while (tokens[end]?.kind === kind) run += tokens[end++]?.text;
  return { kind, text: run, end };
}

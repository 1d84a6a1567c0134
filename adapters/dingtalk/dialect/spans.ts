import type { Span, Style } from "../../../src/text/block.ts";
import { type Link, spellOutLinks } from "../../../src/text/links.ts";
import { writeSpans } from "../../../src/text/dialect/nest.ts";
import { joinSpans } from "../../../src/text/spans.ts";
import { escaped, inlineCode } from "./escape.ts";

/** What only clients of late know shows its marks elsewhere, which says the same; nothing can hide a spoiler. */
const MARKS: Readonly<Record<Exclude<Style, "code" | "spoiler">, string>> = {
  bold: "**",
  italic: "*",
  strike: "~~",
};

/** Spans as Markdown; lines are still to be told from blocks that look alike. */
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
      else tokens.push({ kind: "text", text: href ? bracketless(text) : escaped(text) });
    },
  });
  return assembled(withTightMarks(tokens));
}

/** Marks do not reach over lines, so that no line depends on another. */
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

/** Others could start programs, or do things within DingTalk. */
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

/** A bracket would end the text of a link. */
function bracketless(text: string): string {
  return escaped(text).replace(/(?<!\\)[[\]]/g, "\\$&");
}

interface Token {
  readonly kind: "open" | "close" | "text" | "raw";
  readonly text: string;
}

function raw(text: string): Token {
  return { kind: "raw", text };
}

/** White space goes out of marks: beside it they would not be any. */
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

/** Where the marks begin that have just been opened. */
function endOfText(tokens: readonly Token[]): number {
  return tokens.findLastIndex(({ kind }) => kind !== "open") + 1;
}

/** A space so thin that it is hardly seen: a mark that has it on one side belongs to what is on the other. */
const HAIR = "\u200a";

const SPACE = /^\s/;
const MARK = /^[\p{P}\p{S}]/u;

/**
 * Chinese has no spaces to tell opening marks from closing ones. CommonMark takes none between a letter and a
 * punctuation mark for either, and within other marks it may take one for the other.
 */
function assembled(tokens: readonly Token[]): string {
  const parts: string[] = [];
  let before = "";
  let depth = 0;
  for (let at = 0; at < tokens.length; ) {
    const { kind, text, end } = runFrom(tokens, at);
    const after = tokens[end]?.text ?? "";
    const isMixed = text.includes("*") && text.includes("~");
    if (kind === "open") {
      if (needsHair({ outside: before, isMarked: isMixed || MARK.test(after), depth })) parts.push(HAIR);
      depth += end - at;
    }
    if (kind === "raw" && text === "[" && before === "!") parts.push(parts.pop()?.replace(/!$/, "\\!") ?? "");
    parts.push(text);
    if (kind === "close") {
      depth -= end - at;
      const isMarked = isMixed || MARK.test(before) || tokens[end]?.kind === "open";
      if (needsHair({ outside: after, isMarked, depth })) parts.push(HAIR);
    }
    before = lastCharacter(parts.at(-1) ?? "") || before;
    at = end;
  }
  return parts.join("");
}

function lastCharacter(text: string): string {
  return /[^][\udc00-\udfff]$/.test(text) ? text.slice(-2) : text.slice(-1);
}

interface Side {
  /** What stands outside of a mark. */
  readonly outside: string;
  /** Within it there is a punctuation mark, or outside of it another mark. */
  readonly isMarked: boolean;
  /** In so many other marks. */
  readonly depth: number;
}

function needsHair({ outside, isMarked, depth }: Side): boolean {
  if (!outside || SPACE.test(outside)) return false;
  return depth > 0 || (isMarked && (/^[*~]/.test(outside) || !MARK.test(outside)));
}

/** Marks of one kind that stand together count as one. */
function runFrom(tokens: readonly Token[], at: number): Token & { readonly end: number } {
  const { kind, text } = tokens[at] as Token;
  if (kind === "text" || kind === "raw") return { kind, text, end: at + 1 };
  let end = at + 1;
  let run = text;
  while (tokens[end]?.kind === kind) run += tokens[end++]?.text;
  return { kind, text: run, end };
}

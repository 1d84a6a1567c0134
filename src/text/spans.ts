import type { Token } from "markdown-it";
import type { Span, Style } from "./block.ts";

/** What a span looks like, apart from its text. */
type Look = Omit<Span, "text">;

/** An address longer than this, in UTF-16 units, is text: with it no page could hold even one character. */
const MAX_HREF = 1000;

const STYLES: Readonly<Record<string, Style>> = {
  strong: "bold",
  em: "italic",
  s: "strike",
  spoiler: "spoiler",
};

/** Spans from the inline tokens of one block. */
export function toSpans(tokens: readonly Token[]): Span[] {
  return joinSpans(
    [],
    tokens.flatMap(({ children }) => pieceToSpans(children ?? [])),
  );
}

/** The text of spans without their looks. */
export function textOf(spans: readonly Span[]): string {
  return spans.map(({ text }) => text).join("");
}

/** Spans behind spans; neighbours that look the same become one. */
export function joinSpans(spans: readonly Span[], more: readonly Span[]): Span[] {
  return more.reduce(append, [...spans]);
}

/** Adds a span; one that looks like the last is put together with it. */
function append(spans: Span[], span: Span): Span[] {
  const last = spans.at(-1);
  if (last && last.href === span.href && String(last.styles) === String(span.styles)) {
    spans[spans.length - 1] = { ...last, text: last.text + span.text };
  } else if (span.text) {
    spans.push(span);
  }
  return spans;
}

function pieceToSpans(tokens: readonly Token[]): Span[] {
  const spans: Span[] = [];
  const styles: Style[] = [];
  let href: string | undefined;
  let linkStart = 0;
  for (const token of tokens) {
    const style = STYLES[token.type.replace(/_(?:open|close)$/, "")];
    if (style && token.nesting === 1) styles.push(style);
    else if (style) styles.pop();
    else if (token.type === "link_open") {
      href = String(token.attrGet("href") ?? "");
      linkStart = spans.length;
    } else if (token.type === "link_close") {
      spans.push(...restOfLink(spans.splice(linkStart), href ?? ""));
      href = undefined;
    } else if (token.type === "image") spans.push(...image(token, look(styles, href)));
    else if (token.type === "code_inline")
      spans.push({ text: token.content, ...look([...styles, "code"], href) });
    else spans.push({ text: textOfToken(token), ...look(styles, href) });
  }
  return spans;
}

function look(styles: readonly Style[], href: string | undefined): Look {
  return { ...(styles.length > 0 && { styles: [...new Set(styles)] }), ...(href && { href }) };
}

function textOfToken({ type, content }: Token): string {
  return type === "softbreak" || type === "hardbreak" ? "\n" : content;
}

/** A link shows something, and its address is kept even where it is too long to be linked. */
function restOfLink(spans: Span[], href: string): Span[] {
  const text = textOf(spans);
  const [first] = spans;
  const styles = first?.styles && { styles: first.styles };
  if (href.length > MAX_HREF) {
    const plain = spans.map(({ href: _, ...span }) => span);
    return text === href ? plain : [...plain, { text: text ? ` (${href})` : href }];
  }
  return text.trim() ? spans : [{ text: href, ...styles, ...(href && { href }) }];
}

/** An image is a link that shows its description; within a link, whose address goes first, it is text. */
function image(token: Token, outer: Look): Span[] {
  const src = String(token.attrGet("src") ?? "");
  const alt = textOf(pieceToSpans(token.children ?? [])) || src;
  if (outer.href) return [{ ...outer, text: alt === src ? src : `${alt} (${src})` }];
  return restOfLink([{ ...outer, text: alt, ...(src && { href: src }) }], src);
}

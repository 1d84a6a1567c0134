import type { Span, Style } from "./block.ts";

/** The formatting of a span: everything but its text. */
export type Look = Omit<Span, "text">;

/** The text of spans, without formatting. */
export function textOf(spans: readonly Span[]): string {
  return spans.map(({ text }) => text).join("");
}

/** Appends spans to others; adjacent spans with the same formatting are merged. */
export function joinSpans(spans: readonly Span[], more: readonly Span[]): Span[] {
  const joined: Writable[] = [...spans];
  // Only a span that was created here may be changed.
  let own: Writable | undefined;
  for (const span of more) {
    const last = joined.at(-1);
    if (last && looksLike(last, span)) {
      if (last !== own) joined[joined.length - 1] = own = { ...last };
      own.text += span.text;
    } else if (span.text) {
      joined.push(span);
    }
  }
  return joined;
}

type Writable = Look & { text: string };

function looksLike(a: Look, b: Look): boolean {
  if (a.tex !== undefined || b.tex !== undefined) return false;
  if (a.bracket !== b.bracket || a.destination !== b.destination) return false;
  return a.href === b.href && a.ref === b.ref && sameStyles(a.styles, b.styles);
}

function sameStyles(a: readonly Style[] | undefined, b: readonly Style[] | undefined): boolean {
  if (a === b) return true;
  return a?.length === b?.length && (a?.every((style, index) => style === b?.[index]) ?? false);
}

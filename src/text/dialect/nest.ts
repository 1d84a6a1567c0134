import type { Span, Style } from "../block.ts";

/** Something that begins and ends in a run of spans: a style or a link. */
export type Mark = { readonly style: Style } | { readonly href: string };

/** Receives spans as text between marks, which open and close like brackets. */
export interface MarkWriter {
  open(mark: Mark): void;
  close(mark: Mark): void;
  text(span: Span): void;
}

/** How many spans ahead to search for the mark that ends last. */
const LOOKAHEAD = 50;

/** Writes spans so that marks nest and never overlap; the longer mark is the outer one. */
export function writeSpans(spans: readonly Span[], writer: MarkWriter): void {
  const open: string[] = [];
  const closeTo = (depth: number) => {
    while (open.length > depth) writer.close(toMark(open.pop() ?? ""));
  };
  for (const [index, span] of spans.entries()) {
    const wanted = marksOf(span);
    const stale = open.findIndex((mark) => !wanted.includes(mark));
    if (stale >= 0) closeTo(stale);
    const missing = wanted.filter((mark) => !open.includes(mark));
    if (missing.length > 1) sortByReach(missing, spans.slice(index, index + LOOKAHEAD));
    for (const mark of missing) {
      writer.open(toMark(mark));
      open.push(mark);
    }
    writer.text(span);
  }
  closeTo(0);
}

function sortByReach(marks: string[], spans: readonly Span[]): void {
  const reach = new Map(marks.map((mark) => [mark, reachOf(mark, spans)]));
  marks.sort((a, b) => (reach.get(b) ?? 0) - (reach.get(a) ?? 0));
}

const NONE: readonly string[] = [];

const LINK = "link:";

function marksOf({ styles, href }: Span): readonly string[] {
  if (!href) return styles ?? NONE;
  return [...(styles ?? []), LINK + href];
}

function toMark(mark: string): Mark {
  return mark.startsWith(LINK) ? { href: mark.slice(LINK.length) } : { style: mark as Style };
}

function reachOf(mark: string, spans: readonly Span[]): number {
  const end = spans.findIndex((span) => !marksOf(span).includes(mark));
  return end < 0 ? spans.length : end;
}

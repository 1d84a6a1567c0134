import type { Span } from "../block.ts";
import { type BreakKind, type Leaf, MAX_LEAD, type Breakpoint } from "./outline.ts";

/** A link or formula longer than this, in UTF-16 units, may be cut; a cut link becomes two links. */
const MAX_LINK = 200;

/** Moves a position in a leaf to the beginning of the short link or formula that contains it, if there is one. */
export function outsideLink({ start, spans }: Leaf, at: number): number {
  let from = 0;
  let end = 0;
  for (const [index, span] of spans.entries()) {
    if (end >= at) break;
    if (!isOneLink(spans[index - 1], span)) from = end;
    end += span.text.length;
    // A link at the beginning of a page that does not fit on it is cut.
    const isWithin =
      from < at && start + from > 0 && (at < end || (at === end && isOneLink(span, spans[index + 1])));
    const isWhole = linkOf(span) !== undefined || span.tex !== undefined;
    if (isWithin && isWhole && at - from <= MAX_LINK) return start + from;
  }
  return start + at;
}

function isOneLink(a: Span | undefined, b: Span | undefined): boolean {
  return a !== undefined && b !== undefined && linkOf(a) !== undefined && linkOf(a) === linkOf(b);
}

function linkOf({ href, ref }: Span): string | undefined {
  return ref === undefined ? href || undefined : `[${ref}]`;
}

/** How bad it is to end a page at a breakpoint; 0 is best. */
export type Penalty = number;

/** The page ends between any two graphemes. */
const ANYWHERE: Penalty = 10;

/** The page cuts a link or a formula. */
const CUT_LINK: Penalty = 11;

const PENALTIES: Readonly<Record<BreakKind, Penalty>> = {
  block: 0,
  line: 1,
  sentence: 2,
  word: 3,
  grapheme: ANYWHERE,
};

/** Added for a widow or an orphan, so that even the end of a word without one is better. */
const WIDOW: Penalty = 3;

/** The page ends between a heading and its text. */
const HEADING_ALONE: Penalty = 8;

/** The page cuts a heading. */
const CUT_HEADING: Penalty = 9;

/** The lowest and the highest penalty that the breakpoint can have, whatever text follows. */
export function penaltyOf({ at, kind, leaf, bound }: Breakpoint): { best: Penalty; worst: Penalty } {
  const penalty = PENALTIES[kind];
  if (bound) return { best: bound === "yes" ? HEADING_ALONE : penalty, worst: HEADING_ALONE };
  if (!leaf || kind === "grapheme") return { best: penalty, worst: penalty };
  if (outsideLink(leaf, at - leaf.start) !== at) return { best: CUT_LINK, worst: CUT_LINK };
  if (leaf.type === "heading" || (leaf.type === "lead" && leaf.ends))
    return { best: CUT_HEADING, worst: CUT_HEADING };
  if (leaf.type === "code" && kind === "word") return { best: penalty + WIDOW, worst: penalty + WIDOW };
  if (mayIntroduce(leaf)) return { best: penalty, worst: CUT_HEADING };
  const widows = widowsAt(leaf, at);
  const worst = widows === "none" ? penalty : penalty + WIDOW;
  return { best: widows === "one" ? worst : penalty, worst };
}

/** The lowest penalty that a breakpoint of this kind can have. */
export function lowestPenalty({ kind }: Breakpoint): Penalty {
  return PENALTIES[kind];
}

/** Whether the text may still become a line that introduces what follows. */
function mayIntroduce({ text, type, ends }: Leaf): boolean {
  return !ends && type !== "code" && text.length <= MAX_LEAD && !text.includes("\n");
}

/** Whether a page that ends here leaves a single line of the text at its end, or at the beginning of the next page. */
function widowsAt({ start, text, type, ends }: Leaf, at: number): "none" | "one" | "perhaps" {
  const shortest = type === "code" ? Number.POSITIVE_INFINITY : shortestLine(at);
  const before = text.slice(0, at - start).trimEnd();
  if (start > 0 && before.length < shortest && !before.includes("\n")) return "one";
  const after = text.slice(at - start);
  if (after.length >= shortest || after.includes("\n")) return "none";
  return ends ? "one" : "perhaps";
}

/** On a page of this size, a part of a text with fewer UTF-16 units than this is a widow or an orphan. */
export function shortestLine(page: number): number {
  return Math.min(80, page / 8);
}

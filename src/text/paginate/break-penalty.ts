import type { Span } from "../block.ts";
import { type Kind, type Leaf, MAX_LEAD, type Place } from "./outline.ts";

/** A link or formula with more text than this, in UTF-16 units, may be cut; the parts are two links. */
const MAX_LINK = 200;

/** A place in the leaf, or the beginning of the short link or formula that it lies in. */
export function outsideLink({ start, spans }: Leaf, at: number): number {
  let from = 0;
  let end = 0;
  for (const [index, span] of spans.entries()) {
    if (end >= at) break;
    if (!isOneLink(spans[index - 1], span)) from = end;
    end += span.text.length;
    // What a page begins with, but does not fit, is cut.
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

/** How good it is to end a page at a place; 0 is best. */
export type Penalty = number;

/** Behind a grapheme. */
const ANYWHERE: Penalty = 10;

/** A link or a formula cut. */
const CUT_LINK: Penalty = 11;

const PENALTIES: Readonly<Record<Kind, Penalty>> = {
  block: 0,
  line: 1,
  sentence: 2,
  word: 3,
  grapheme: ANYWHERE,
};

/** A single line left on one side is worse than any place that leaves none. */
const WIDOW: Penalty = 3;

/** A heading left alone. */
const HEADING_ALONE: Penalty = 8;

/** A heading cut. */
const CUT_HEADING: Penalty = 9;

/** How good a place is, as far as is known: at best and at worst. */
export function penaltyOf({ at, kind, leaf, bound }: Place): { best: Penalty; worst: Penalty } {
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

/** The least rank that a place of its kind can have. */
export function minPenalty({ kind }: Place): Penalty {
  return PENALTIES[kind];
}

/** Whether what is still missing of the text may make it a line that leads to what follows. */
function mayIntroduce({ text, type, ends }: Leaf): boolean {
  return !ends && type !== "code" && text.length <= MAX_LEAD && !text.includes("\n");
}

/** Whether a page that ends here leaves a single line of the text at its end, or at the beginning of the next. */
function widowsAt({ start, text, type, ends }: Leaf, at: number): "none" | "one" | "perhaps" {
  const shortest = type === "code" ? Number.POSITIVE_INFINITY : shortestLine(at);
  const before = text.slice(0, at - start).trimEnd();
  if (start > 0 && before.length < shortest && !before.includes("\n")) return "one";
  const after = text.slice(at - start);
  if (after.length >= shortest || after.includes("\n")) return "none";
  return ends ? "one" : "perhaps";
}

/** A part of a text with fewer UTF-16 units than this is a stray line, on a page of about this size. */
export function shortestLine(page: number): number {
  return Math.min(80, page / 8);
}

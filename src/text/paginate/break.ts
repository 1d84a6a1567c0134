import type { Steps } from "../../system/slices.ts";
import { type Known, type Leaf, outlineOf, type Breakpoint } from "./outline.ts";
import { lowestPenalty, outsideLink, type Penalty, penaltyOf, shortestLine } from "./break-penalty.ts";
import type { Capacity } from "./capacity.ts";

/** A page is filled to at least this share of its capacity, even if an earlier breakpoint would be better. */
const MIN_FILL = 0.5;

/** How far before the end of a page to search for sentence ends, in UTF-16 units. */
const REACH = 2000;

/**
 * Finds the end of the first page: the best breakpoint in its second half. Returns undefined if all fits, or if the
 * decision needs more settled text. It depends on settled text alone, and is made only once no later text could make
 * another breakpoint better; so it stays the same when more text arrives.
 */
export function* findBreak(known: Known, capacity: Capacity): Steps<number | undefined> {
  const { breakpoints, leaves } = outlineOf(known);
  const beyond = known.follows ? [known.settled + 1] : [];
  yield* capacity.among([...breakpoints.map(({ at }) => at), known.settled, ...beyond]);
  if (capacity.high === Number.POSITIVE_INFINITY) return undefined;
  const decision =
    (yield* decide(breakpoints, capacity, LINE)) ??
    (yield* decide(yield* withSentences(breakpoints, leaves, capacity), capacity, SENTENCE_END)) ??
    (yield* lastResort(breakpoints, leaves, capacity));
  return decision.at;
}

/** The highest penalties that are accepted before the text is searched for better breakpoints. */
const LINE: Penalty = 1;
const SENTENCE_END: Penalty = 2;

interface Decision {
  /** Undefined if the decision needs more settled text. */
  readonly at: number | undefined;
}

/**
 * The best of the breakpoints, if its penalty is low enough; undefined `at` while later text may make another one
 * better.
 */
function* decide(
  breakpoints: readonly Breakpoint[],
  capacity: Capacity,
  enough: Penalty,
): Steps<Decision | undefined> {
  const best = yield* choose(breakpoints, capacity, "best");
  if (!best || best.penalty > enough) return undefined;
  const worst = yield* choose(breakpoints, capacity, "worst");
  return { at: best.isSure && best.breakpoint.at === worst?.breakpoint.at ? best.breakpoint.at : undefined };
}

interface Choice {
  readonly breakpoint: Breakpoint;
  readonly penalty: Penalty;
  /** Whether the penalty is final, or does not matter because no other breakpoint can be as good. */
  readonly isSure: boolean;
}

function* choose(
  breakpoints: readonly Breakpoint[],
  capacity: Capacity,
  outlook: "best" | "worst",
): Steps<Choice | undefined> {
  let found: Choice | undefined;
  for (let i = breakpoints.length - 1; i >= 0; i--) {
    const breakpoint = breakpoints[i] as Breakpoint;
    if (breakpoint.at > capacity.low || (found && lowestPenalty(breakpoint) >= found.penalty)) continue;
    if (!(yield* capacity.isFilled(breakpoint.at, MIN_FILL))) break;
    const penalties = penaltyOf(breakpoint);
    const penalty = penalties[outlook];
    if (!found || penalty < found.penalty)
      found = {
        breakpoint,
        penalty,
        isSure: penalties.best === penalties.worst || breakpoint.kind === "block",
      };
  }
  return found;
}

function* withSentences(
  breakpoints: readonly Breakpoint[],
  leaves: readonly Leaf[],
  capacity: Capacity,
): Steps<Breakpoint[]> {
  const leaf = leaves.findLast(({ start }) => start < capacity.high);
  const sentences = leaf ? sentencesIn(leaf, capacity.low - REACH, capacity.high) : [];
  yield* capacity.among(sentences.map(({ at }) => at));
  return [...breakpoints, ...sentences].sort((a, b) => a.at - b.at);
}

function* lastResort(
  breakpoints: readonly Breakpoint[],
  leaves: readonly Leaf[],
  capacity: Capacity,
): Steps<Decision> {
  const max = yield* capacity.exact();
  const leaf = leaves.findLast(({ start }) => start < max);
  if (!leaf || max > leaf.start + leaf.text.length) return { at: Math.max(1, max) };
  const anywhere = outsideLink(leaf, wholeGraphemes(leaf, max - leaf.start));
  const all: Breakpoint[] = [
    ...breakpoints,
    ...sentencesIn(leaf, max - REACH, max + 1),
    ...wordsUpTo(leaf, max),
    { at: anywhere, kind: "grapheme", leaf },
  ];
  const sorted = all.sort((a, b) => a.at - b.at);
  return (yield* decide(sorted, capacity, Number.POSITIVE_INFINITY)) ?? { at: Math.max(1, anywhere) };
}

const SENTENCE = /[.!?…]["'”’)\]]*\s|[。！？…]["”’」』）]*/gu;

/** A character that forms one grapheme with the character before it. */
const MARK = /^[\p{M}\u200d]/u;

/** The sentence ends in a text between two positions. */
function sentencesIn(leaf: Leaf, from: number, to: number): Breakpoint[] {
  if (leaf.type === "code") return [];
  const breakpoints: Breakpoint[] = [];
  const first = Math.max(0, from - leaf.start);
  for (const { index, 0: found } of leaf.text.slice(first, to - leaf.start).matchAll(SENTENCE)) {
    const at = first + index + found.length;
    if (!MARK.test(leaf.text.slice(at, at + 2)))
      breakpoints.push({ at: leaf.start + at, kind: "sentence", leaf });
  }
  return breakpoints;
}

/** The last breakpoint after a word, and an earlier one that leaves no widow. */
function wordsUpTo(leaf: Leaf, max: number): Breakpoint[] {
  const end = max - leaf.start;
  const early = leaf.text.length - Math.ceil(shortestLine(max));
  return [end, ...(leaf.ends && early < end ? [early] : [])]
    .map((limit) => outsideLink(leaf, limit > 0 ? lastWord(leaf, limit) : 0))
    .filter((at) => at > leaf.start)
    .map((at) => ({ at, kind: "word", leaf }));
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const words = new Intl.Segmenter(undefined, { granularity: "word" });

/** A grapheme with more UTF-16 units than this is cut all the same. */
const MAX_GRAPHEME = 64;

/** The last position up to `end` that cuts no grapheme. */
function wholeGraphemes({ start, text }: Leaf, end: number): number {
  if (end >= text.length) return text.length;
  const index = graphemes.segment(text).containing(end)?.index ?? end;
  if (end - index <= MAX_GRAPHEME && start + index > 0) return index;
  const isLow = /^[\udc00-\udfff]/.test(text.slice(end));
  return isLow ? end - 1 : end;
}

const SPACELESS =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Khmer}\p{sc=Lao}，。、；：！？）」』]$/u;

/**
 * The last beginning of a word up to `end`: after a space or, in scripts without spaces, between words. Finding word
 * boundaries depends on the text after them: only one more character is read, which is known by then.
 */
function lastWord(leaf: Leaf, end: number): number {
  const from = Math.max(0, end - 100);
  const window = leaf.text.slice(from, end + ((leaf.text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1));
  let found = 0;
  for (const { index, segment } of words.segment(window)) {
    if (from + index > end) break;
    const before = window.slice(Math.max(0, index - 2), index);
    if (/\s$/.test(before) || (SPACELESS.test(before) && !/^\p{P}/u.test(segment))) found = from + index;
  }
  return found > 0 ? wholeGraphemes(leaf, found) : 0;
}

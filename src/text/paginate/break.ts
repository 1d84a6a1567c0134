import type { Steps } from "../../system/slices.ts";
import { type Known, type Leaf, outlineOf, type Place } from "./outline.ts";
import { minPenalty, outsideLink, type Penalty, penaltyOf, shortestLine } from "./break-penalty.ts";
import type { Capacity } from "./capacity.ts";

/** A page that is cut at a better place still holds at least this part of what would fit. */
const MIN_FILL = 0.5;

/** How far before the end of a page sentences are looked for, in UTF-16 units. */
const REACH = 2000;

/**
 * Where the first page ends: at the best place in its second half. Undefined if all fits, or as long as more has to
 * be settled to tell. Only settled text decides, and only if no text that follows could make another place better:
 * so the answer stays when more arrives.
 */
export function* placeToBreak(known: Known, capacity: Capacity): Steps<number | undefined> {
  const { places, leaves } = outlineOf(known);
  const beyond = known.follows ? [known.settled + 1] : [];
  yield* capacity.among([...places.map(({ at }) => at), known.settled, ...beyond]);
  if (capacity.high === Number.POSITIVE_INFINITY) return undefined;
  const decision =
    (yield* decide(places, capacity, LINE)) ??
    (yield* decide(yield* withSentences(places, leaves, capacity), capacity, SENTENCE_END)) ??
    (yield* lastResort(places, leaves, capacity));
  return decision.at;
}

/** The worst ranks that a page is ended with, before better places are looked for in the text. */
const LINE: Penalty = 1;
const SENTENCE_END: Penalty = 2;

interface Decision {
  /** Undefined if more has to be settled. */
  readonly at: number | undefined;
}

/** The best of the places, if its rank is good enough and it stays the best. */
function* decide(places: readonly Place[], capacity: Capacity, enough: Penalty): Steps<Decision | undefined> {
  const best = yield* choose(places, capacity, "best");
  if (!best || best.penalty > enough) return undefined;
  const worst = yield* choose(places, capacity, "worst");
  return { at: best.isSure && best.place.at === worst?.place.at ? best.place.at : undefined };
}

interface Choice {
  readonly place: Place;
  readonly penalty: Penalty;
  /** Its rank is known, or does not matter as nothing else can be as good. */
  readonly isSure: boolean;
}

function* choose(
  places: readonly Place[],
  capacity: Capacity,
  outlook: "best" | "worst",
): Steps<Choice | undefined> {
  let found: Choice | undefined;
  for (let i = places.length - 1; i >= 0; i--) {
    const place = places[i] as Place;
    if (place.at > capacity.low || (found && minPenalty(place) >= found.penalty)) continue;
    if (!(yield* capacity.isFilled(place.at, MIN_FILL))) break;
    const penalties = penaltyOf(place);
    const penalty = penalties[outlook];
    if (!found || penalty < found.penalty)
      found = { place, penalty, isSure: penalties.best === penalties.worst || place.kind === "block" };
  }
  return found;
}

function* withSentences(
  places: readonly Place[],
  leaves: readonly Leaf[],
  capacity: Capacity,
): Steps<Place[]> {
  const leaf = leaves.findLast(({ start }) => start < capacity.high);
  const sentences = leaf ? sentencesIn(leaf, capacity.low - REACH, capacity.high) : [];
  yield* capacity.among(sentences.map(({ at }) => at));
  return [...places, ...sentences].sort((a, b) => a.at - b.at);
}

function* lastResort(places: readonly Place[], leaves: readonly Leaf[], capacity: Capacity): Steps<Decision> {
  const max = yield* capacity.exact();
  const leaf = leaves.findLast(({ start }) => start < max);
  if (!leaf || max > leaf.start + leaf.text.length) return { at: Math.max(1, max) };
  const anywhere = outsideLink(leaf, wholeGraphemes(leaf, max - leaf.start));
  const all: Place[] = [
    ...places,
    ...sentencesIn(leaf, max - REACH, max + 1),
    ...wordsUpTo(leaf, max),
    { at: anywhere, kind: "grapheme", leaf },
  ];
  const sorted = all.sort((a, b) => a.at - b.at);
  return (yield* decide(sorted, capacity, Number.POSITIVE_INFINITY)) ?? { at: Math.max(1, anywhere) };
}

const SENTENCE = /[.!?…]["'”’)\]]*\s|[。！？…]["”’」』）]*/gu;

/** What makes one grapheme with the character before. */
const MARK = /^[\p{M}\u200d]/u;

/** The ends of sentences in a text, from one place to another. */
function sentencesIn(leaf: Leaf, from: number, to: number): Place[] {
  if (leaf.type === "code") return [];
  const places: Place[] = [];
  const first = Math.max(0, from - leaf.start);
  for (const { index, 0: found } of leaf.text.slice(first, to - leaf.start).matchAll(SENTENCE)) {
    const at = first + index + found.length;
    if (!MARK.test(leaf.text.slice(at, at + 2))) places.push({ at: leaf.start + at, kind: "sentence", leaf });
  }
  return places;
}

/** The last place behind a word, and one that leaves no stray line behind it. */
function wordsUpTo(leaf: Leaf, max: number): Place[] {
  const end = max - leaf.start;
  const early = leaf.text.length - Math.ceil(shortestLine(max));
  return [end, ...(leaf.ends && early < end ? [early] : [])]
    .map((limit) => outsideLink(leaf, limit > 0 ? lastWord(leaf, limit) : 0))
    .filter((at) => at > leaf.start)
    .map((at) => ({ at, kind: "word", leaf }));
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const words = new Intl.Segmenter(undefined, { granularity: "word" });

/** Characters that together are one grapheme, but more than this many UTF-16 units, are cut all the same. */
const MAX_GRAPHEME = 64;

/** The last place, up to `end`, that cuts no grapheme. */
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
 * The last beginning of a word up to `end`: behind a space or, in scripts without spaces, between words. How these
 * are told apart depends on what follows: no more is looked at than one character, which is known by then.
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

import type { Block, ListItem, Span, Table } from "./block.ts";
import { sizeOf, take } from "./cut.ts";
import { textOf } from "./spans.ts";

/** A page that is cut at a better place still holds at least this part of what would fit. */
const LEAST_FILL = 0.5;

/** A link with more text than this, in UTF-16 units, may be cut; the parts are two links. */
const LONGEST_LINK = 200;

/** Characters that together are one grapheme, but more than this many UTF-16 units, are cut all the same. */
const LONGEST_GRAPHEME = 64;

/** How far before the end of a page words and sentences are looked for, in UTF-16 units. */
const REACH = 2000;

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const words = new Intl.Segmenter(undefined, { granularity: "word" });

/** The kinds of places to cut at, the best first. */
const KINDS = ["block", "line", "sentence", "word"] as const;
type Kind = (typeof KINDS)[number];

/**
 * Where to end a page when `max` units fit and at least one more follows. Only the blocks up to that one
 * are looked at, so the answer stays when more text arrives.
 */
export function placeToBreak(blocks: readonly Block[], max: number): number {
  const places = findPlaces(blocks, max);
  for (const kind of KINDS) {
    const place = places[kind];
    if (place !== undefined && place >= max * LEAST_FILL) return place;
  }
  return Math.max(1, places.grapheme);
}

interface Places extends Partial<Record<Kind, number>> {
  grapheme: number;
}

/** The text that a place lies in. */
interface Leaf {
  readonly start: number;
  readonly spans: readonly Span[];
}

function findPlaces(blocks: readonly Block[], max: number): Places {
  const places: Places = { grapheme: max };
  let leaf: Leaf = { start: 0, spans: [] };
  walk(takeOneMore(blocks, max), {
    place: (at, kind) => {
      if (at > 0 && at <= max) places[kind] = at;
    },
    text: (start, spans) => {
      if (start >= max) return;
      leaf = { start, spans };
      eachLine(leaf, (at) => at <= max && (places.line = at));
    },
  });
  return { ...places, ...placesInText(leaf, max) };
}

/** The units that fit and the character after them. */
function takeOneMore(blocks: readonly Block[], max: number): Block[] {
  const two = take(blocks, max + 2);
  const last = lastUnits(two);
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(last) ? two : take(two, max + 1);
}

function lastUnits(blocks: readonly Block[]): string {
  let text = "";
  walk(blocks, { place: () => {}, text: (_, spans) => (text = spans.at(-1)?.text ?? text) });
  return text.slice(-2);
}

interface Visitor {
  place(at: number, kind: Kind): void;
  text(start: number, spans: readonly Span[]): void;
}

/** Visits the places between blocks, items, rows and cells, and the texts, in order. */
function walk(blocks: readonly Block[], visitor: Visitor): void {
  walkBlocks(blocks, { start: 0, kind: "block", visitor });
}

interface Walk {
  readonly start: number;
  readonly kind: Kind;
  readonly visitor: Visitor;
}

function walkBlocks(blocks: readonly Block[], { start, kind, visitor }: Walk): void {
  let at = start;
  for (const [index, block] of blocks.entries()) {
    // A heading stays with what it is the heading of.
    if (index > 0 && blocks[index - 1]?.type !== "heading") visitor.place(at, kind);
    walkBlock(block, { start: at, kind: "line", visitor });
    at += sizeOf([block]);
  }
}

function walkBlock(block: Block, walk: Walk): void {
  switch (block.type) {
    case "paragraph":
    case "heading":
      return walk.visitor.text(walk.start, block.spans);
    case "code":
      return walk.visitor.text(walk.start, [{ text: block.text }]);
    case "quote":
      return walkBlocks(block.blocks, walk);
    case "list":
      return walkItems(block.items, walk);
    case "table":
      return walkRows(block.rows, walk);
    case "rule":
  }
}

function walkItems(items: readonly ListItem[], { start, kind, visitor }: Walk): void {
  let at = start;
  for (const [index, item] of items.entries()) {
    if (index > 0) visitor.place(at, kind);
    walkBlocks(item.blocks, { start: at, kind, visitor });
    at += Math.max(1, sizeOf(item.blocks));
  }
}

function walkRows(rows: Table["rows"], { start, visitor }: Walk): void {
  let at = start;
  for (const [index, row] of rows.entries()) {
    const next =
      at +
      Math.max(
        1,
        row.flat().reduce((size, { text }) => size + text.length, 0),
      );
    for (const [column, cell] of row.entries()) {
      if (index + column > 0) visitor.place(at, column > 0 ? "sentence" : "line");
      visitor.text(at, cell);
      for (const { text } of cell) at += text.length;
    }
    at = next;
  }
}

function eachLine({ start, spans }: Leaf, found: (at: number) => void): void {
  let at = start;
  for (const { text } of spans) {
    for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) found(at + i + 1);
    at += text.length;
  }
}

function placesInText(leaf: Leaf, max: number): Places {
  const text = textOf(leaf.spans);
  const end = max - leaf.start;
  const from = Math.max(0, end - REACH);
  const places: Places = { grapheme: leaf.start + outsideLink(leaf, wholeGraphemes(leaf, end)) };
  for (const { index, 0: found } of text.slice(from).matchAll(SENTENCE)) {
    const at = from + index + found.length;
    if (at <= end && !MARK.test(text.slice(at, at + 2)) && outsideLink(leaf, at) === at) {
      places.sentence = leaf.start + at;
    }
  }
  const word = outsideLink(leaf, lastWord(leaf, end));
  if (word > 0) places.word = leaf.start + word;
  return places;
}

const SENTENCE = /[.!?…]["'”’)\]]*\s|[。！？…]["”’」』）]*/gu;

/** What makes one grapheme with the character before. */
const MARK = /^[\p{M}\u200d]/u;

/** The last place, up to `end`, that cuts no grapheme. */
function wholeGraphemes(leaf: Leaf, end: number): number {
  const text = textOf(leaf.spans);
  if (end >= text.length) return text.length;
  const index = graphemes.segment(text).containing(end)?.index ?? end;
  if (end - index <= LONGEST_GRAPHEME && leaf.start + index > 0) return index;
  const isLow = /^[\udc00-\udfff]/.test(text.slice(end));
  return isLow ? end - 1 : end;
}

const SPACELESS =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Khmer}\p{sc=Lao}，。、；：！？）」』]$/u;

/** The last beginning of a word up to `end`: behind a space or, in scripts without spaces, between words. */
function lastWord(leaf: Leaf, end: number): number {
  const from = Math.max(0, end - 100);
  const window = textOf(leaf.spans).slice(from, end + 2);
  let found = 0;
  for (const { index, segment } of words.segment(window)) {
    if (from + index > end) break;
    const before = window.slice(0, index);
    if (/\s$/.test(before) || (SPACELESS.test(before) && !/^\p{P}/u.test(segment))) found = from + index;
  }
  return found > 0 ? wholeGraphemes(leaf, found) : 0;
}

/** A place in the leaf, or the beginning of the short link that it lies in. */
function outsideLink({ start, spans }: Leaf, at: number): number {
  let from = 0;
  let end = 0;
  for (const [index, span] of spans.entries()) {
    if (span.href !== spans[index - 1]?.href) from = end;
    end += span.text.length;
    // A link that a page begins with, but that does not fit, is cut.
    const within = from < at && at < end && start + from > 0;
    if (span.href && within && at - from <= LONGEST_LINK) return from;
    if (end >= at && span.href !== spans[index + 1]?.href) break;
  }
  return at;
}

import type { Block, Heading, ListItem, Paragraph, Span, Table } from "../block.ts";
import { textOf } from "../spans.ts";

/** Blocks in which a page is to end. */
export interface Known {
  readonly blocks: readonly Block[];
  /** So many units stay as they are, whatever follows; a page can end no later. */
  readonly settled: number;
  /** Nothing follows. */
  readonly ended: boolean;
  /** Another block follows what is settled: no part of that goes on. */
  readonly follows: boolean;
}

/** A place where a page can end. */
export interface Place {
  readonly at: number;
  readonly kind: Kind;
  /** The text it is in. */
  readonly leaf?: Leaf;
  /** What stands before it should stay with what is behind it; "perhaps" if that has still to be seen. */
  readonly bound?: "yes" | "perhaps";
}

export type Kind = "block" | "line" | "sentence" | "word" | "grapheme";

/** A text in blocks, as far as it is settled. */
export interface Leaf {
  readonly start: number;
  /** Where it ends, with what of it is not settled. */
  readonly end: number;
  readonly text: string;
  readonly spans: readonly Span[];
  readonly type: "text" | "code" | "heading" | "lead";
  /** All of the text is here. */
  readonly ends: boolean;
}

/** The places between blocks, items, rows, cells and lines, in order, and the texts. */
export interface Outline {
  readonly places: readonly Place[];
  readonly leaves: readonly Leaf[];
}

/** Finds the places which nothing has to be measured for. */
export function outlineOf(known: Known): Outline {
  const walk: Walk = { places: [], leaves: [], known };
  walkBlocks(known.blocks, { at: 0, kind: "block" }, walk);
  if (known.ended) endLeaf(walk);
  return walk;
}

interface Walk {
  readonly places: Place[];
  readonly leaves: { -readonly [field in keyof Leaf]: Leaf[field] }[];
  readonly known: Known;
}

interface From {
  readonly at: number;
  readonly kind: Kind;
}

function walkBlocks(blocks: readonly Block[], { at, kind }: From, walk: Walk): number {
  let end = at;
  let before: Block | undefined;
  for (const block of blocks) {
    if (before) addPlace({ at: end, kind, ...bond(before, block, end >= walk.known.settled) }, walk);
    end = Math.max(end + 1, walkBlock(block, end, walk));
    before = block;
  }
  return end;
}

function addPlace(place: Place, walk: Walk): void {
  endLeaf(walk);
  if (place.at <= walk.known.settled) walk.places.push(place);
}

/** Nothing can be added to the last text any more, now that something else follows. */
function endLeaf({ leaves, known }: Walk): void {
  const last = leaves.at(-1);
  if (last && last.end <= known.settled) last.ends = true;
}

function bond(before: Block, after: Block, growing: boolean): Pick<Place, "bound"> {
  if (before.type === "heading" || isTitle(before)) return { bound: "yes" };
  if (!isIntroduction(before)) return {};
  if (growing) return { bound: "perhaps" };
  return ["list", "code", "table", "quote"].includes(after.type) ? { bound: "yes" } : {};
}

/** A line with more UTF-16 units than this leads to nothing. */
export const MAX_LEAD = 160;

/** A line in bold is a heading of sorts. */
function isTitle(block: Block): boolean {
  return isLine(block) && block.spans.every(({ text, styles }) => styles?.includes("bold") || !text.trim());
}

/** "These are the steps:" */
function isIntroduction(block: Block): boolean {
  return isLine(block) && /[:：]\s*$/.test(block.spans.at(-1)?.text ?? "");
}

function isLine(block: Block): block is Paragraph {
  if (block.type !== "paragraph") return false;
  let length = 0;
  for (const { text } of block.spans) {
    length += text.length;
    if (length > MAX_LEAD || text.includes("\n")) return false;
  }
  return true;
}

/** Returns where the block ends. */
function walkBlock(block: Block, at: number, walk: Walk): number {
  switch (block.type) {
    case "paragraph":
    case "heading":
      return walkText(block.spans, { at, type: typeOf(block) }, walk);
    case "code":
      return walkText([{ text: block.text }], { at, type: "code" }, walk);
    case "quote":
      return walkBlocks(block.blocks, { at, kind: "line" }, walk);
    case "list":
      return walkItems(block.items, at, walk);
    case "table":
      return walkRows(block.rows, at, walk);
    case "rule":
      return at + 1;
  }
}

function typeOf(block: Paragraph | Heading): Leaf["type"] {
  if (block.type === "heading") return "heading";
  return isTitle(block) || isIntroduction(block) ? "lead" : "text";
}

function walkText(
  spans: readonly Span[],
  { at, type }: { at: number; type: Leaf["type"] },
  walk: Walk,
): number {
  const whole = textOf(spans);
  const text = whole.slice(0, Math.max(0, walk.known.settled - at));
  const leaf: Leaf = { start: at, end: at + whole.length, text, spans, type, ends: false };
  walk.leaves.push(leaf);
  for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) {
    walk.places.push({ at: at + i + 1, kind: "line", leaf });
  }
  return leaf.end;
}

function walkItems(items: readonly ListItem[], at: number, walk: Walk): number {
  let end = at;
  for (const [index, item] of items.entries()) {
    if (index > 0) addPlace({ at: end, kind: "line" }, walk);
    end = Math.max(end + 1, walkBlocks(item.blocks, { at: end, kind: "line" }, walk));
  }
  return end;
}

function walkRows(rows: Table["rows"], at: number, walk: Walk): number {
  let end = at;
  for (const [index, row] of rows.entries()) {
    const start = end;
    for (const [column, cell] of row.entries()) {
      if (index + column > 0) addPlace({ at: end, kind: column > 0 ? "sentence" : "line" }, walk);
      end = walkText(cell, { at: end, type: "text" }, walk);
    }
    end = Math.max(start + 1, end);
  }
  return end;
}

import type { Block, Heading, ListItem, Paragraph, Span, Table } from "../block.ts";
import { textOf } from "../spans.ts";

/** Blocks within which a page has to end. */
export interface Known {
  readonly blocks: readonly Block[];
  /** The number of units at the beginning that no later text can change; a page can end no later. */
  readonly settled: number;
  /** Whether nothing follows. */
  readonly ended: boolean;
  /** Whether another block follows the settled ones, so that the last of these is complete. */
  readonly follows: boolean;
}

/** A position where a page can end. */
export interface Breakpoint {
  readonly at: number;
  readonly kind: BreakKind;
  /** The text that contains it. */
  readonly leaf?: Leaf;
  /** Whether the block before it should stay with the block after it; "perhaps" if the latter is not known yet. */
  readonly bound?: "yes" | "perhaps";
}

export type BreakKind = "block" | "line" | "sentence" | "word" | "grapheme";

/** A run of text in a block, as far as it is settled. */
export interface Leaf {
  readonly start: number;
  /** The end of the whole text, including the part that is not settled. */
  readonly end: number;
  readonly text: string;
  readonly spans: readonly Span[];
  readonly type: "text" | "code" | "heading" | "lead";
  /** Whether the text is complete. */
  readonly ends: boolean;
}

/** The breakpoints between blocks, items, rows, cells and lines, in order, and the texts of the blocks. */
export interface Outline {
  readonly breakpoints: readonly Breakpoint[];
  readonly leaves: readonly Leaf[];
}

/** Finds the breakpoints that the structure of the blocks offers. */
export function outlineOf(known: Known): Outline {
  const walk: Walk = { breakpoints: [], leaves: [], known };
  walkBlocks(known.blocks, { at: 0, kind: "block" }, walk);
  if (known.ended) endLeaf(walk);
  return walk;
}

interface Walk {
  readonly breakpoints: Breakpoint[];
  readonly leaves: { -readonly [field in keyof Leaf]: Leaf[field] }[];
  readonly known: Known;
}

interface From {
  readonly at: number;
  readonly kind: BreakKind;
}

function walkBlocks(blocks: readonly Block[], { at, kind }: From, walk: Walk): number {
  let end = at;
  let before: Block | undefined;
  for (const block of blocks) {
    if (before) {
      const bond = bondBetween(before, block, { isOpen: end >= walk.known.settled });
      addBreakpoint({ at: end, kind, ...bond }, walk);
    }
    end = Math.max(end + 1, walkBlock(block, end, walk));
    before = block;
  }
  return end;
}

function addBreakpoint(breakpoint: Breakpoint, walk: Walk): void {
  endLeaf(walk);
  if (breakpoint.at <= walk.known.settled) walk.breakpoints.push(breakpoint);
}

/** Marks the last text as complete, because something else follows it. */
function endLeaf({ leaves, known }: Walk): void {
  const last = leaves.at(-1);
  if (last && last.end <= known.settled) last.ends = true;
}

/** `isOpen`: the block after may still become another one. */
function bondBetween(
  before: Block,
  after: Block,
  { isOpen }: { isOpen: boolean },
): Pick<Breakpoint, "bound"> {
  if (before.type === "heading" || isTitle(before)) return { bound: "yes" };
  if (!isIntroduction(before)) return {};
  if (isOpen) return { bound: "perhaps" };
  return ["list", "code", "table", "quote"].includes(after.type) ? { bound: "yes" } : {};
}

/** The longest line that can introduce what follows it, in UTF-16 units. */
export const MAX_LEAD = 160;

/** Whether the block is a line in bold, which serves as a heading. */
function isTitle(block: Block): boolean {
  return isLine(block) && block.spans.every(({ text, styles }) => styles?.includes("bold") || !text.trim());
}

/** Whether the block is a line such as "These are the steps:". */
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

/** Returns the position where the block ends. */
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
    walk.breakpoints.push({ at: at + i + 1, kind: "line", leaf });
  }
  return leaf.end;
}

function walkItems(items: readonly ListItem[], at: number, walk: Walk): number {
  let end = at;
  for (const [index, item] of items.entries()) {
    if (index > 0) addBreakpoint({ at: end, kind: "line" }, walk);
    end = Math.max(end + 1, walkBlocks(item.blocks, { at: end, kind: "line" }, walk));
  }
  return end;
}

function walkRows(rows: Table["rows"], at: number, walk: Walk): number {
  let end = at;
  for (const [index, row] of rows.entries()) {
    const start = end;
    for (const [column, cell] of row.entries()) {
      if (index + column > 0) addBreakpoint({ at: end, kind: column > 0 ? "sentence" : "line" }, walk);
      end = walkText(cell, { at: end, type: "text" }, walk);
    }
    end = Math.max(start + 1, end);
  }
  return end;
}

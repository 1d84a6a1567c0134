import type { Block, Cell, List, ListItem, Quote, Span, Table } from "./block.ts";
import { isAddress } from "./links.ts";
import { joinSpans } from "./spans.ts";

/**
 * Positions in blocks are counted in units. Each UTF-16 code unit of text is one unit, and so is each block, item or
 * row without text. `take` and `drop` cut at a position; `join` puts both parts together again.
 */

/** The number of units in the blocks; counting stops beyond `limit`. */
export function sizeOf(blocks: readonly Block[], limit = Number.POSITIVE_INFINITY): number {
  return sum(blocks, sizeOfBlock, limit);
}

function sizeOfBlock(block: Block, limit: number): number {
  switch (block.type) {
    case "paragraph":
    case "heading":
      return Math.max(1, sum(block.spans, sizeOfSpan, limit));
    case "code":
      return Math.max(1, block.text.length);
    case "quote":
      return Math.max(1, sizeOf(block.blocks, limit));
    case "list":
      return Math.max(1, sum(block.items, sizeOfItem, limit));
    case "table":
      return Math.max(1, sum(block.rows, sizeOfRow, limit));
    case "rule":
      return 1;
  }
}

function sizeOfItem(item: ListItem, limit: number): number {
  return Math.max(1, sizeOf(item.blocks, limit));
}

function sizeOfRow(row: readonly Cell[]): number {
  return Math.max(1, sum(row, sizeOfCell));
}

function sizeOfCell(cell: Cell): number {
  return sum(cell, sizeOfSpan);
}

function sizeOfSpan(span: Span): number {
  return span.text.length;
}

/** The number of blocks, items and rows, including nested ones. */
export function partsOf(blocks: readonly Block[]): number {
  let parts = blocks.length;
  for (const block of blocks) {
    if (block.type === "quote") parts += partsOf(block.blocks);
    if (block.type === "table") parts += block.rows.length;
    if (block.type === "list") for (const item of block.items) parts += 1 + partsOf(item.blocks);
  }
  return parts;
}

type Size<T> = (part: T, limit: number) => number;

function sum<T>(parts: readonly T[], size: Size<T>, limit = Number.POSITIVE_INFINITY): number {
  let total = 0;
  for (const part of parts) {
    if (total > limit) break;
    total += size(part, limit - total);
  }
  return total;
}

/** The first `n` units. A formula that is cut becomes text. */
export function take(blocks: readonly Block[], n: number): Block[] {
  return takeParts({ parts: blocks, size: sizeOfBlock, first: takeFromBlock }, n);
}

interface Sequence<T> {
  readonly parts: readonly T[];
  readonly size: Size<T>;
  /** The first `n` units of a part that has more. */
  readonly first?: (part: T, n: number) => T;
  /** All but the first `n` units of a part that has more. */
  readonly rest?: (part: T, n: number) => T;
}

function takeParts<T>({ parts, size, first }: Sequence<T>, n: number): T[] {
  const taken: T[] = [];
  let left = n;
  for (const part of parts) {
    if (left <= 0) break;
    const length = size(part, left);
    if (length <= left) taken.push(part);
    else if (first) taken.push(first(part, left));
    left -= length;
  }
  return taken;
}

function takeFromBlock(block: Block, n: number): Block {
  switch (block.type) {
    case "paragraph":
    case "heading":
      return { ...block, spans: takeSpans(block.spans, n) };
    case "code":
      return { ...block, text: block.text.slice(0, n) };
    case "quote":
      return { ...block, blocks: take(block.blocks, n) };
    case "list":
      return { ...block, items: takeParts({ parts: block.items, size: sizeOfItem, first: takeFromItem }, n) };
    case "table":
      return { ...block, rows: takeParts({ parts: block.rows, size: sizeOfRow, first: takeFromRow }, n) };
    case "rule":
      return block;
  }
}

function takeFromItem(item: ListItem, n: number): ListItem {
  return { ...item, blocks: take(item.blocks, n) };
}

function takeFromRow(row: readonly Cell[], n: number): readonly Cell[] {
  const cells = takeParts({ parts: row, size: sizeOfCell, first: takeSpans }, n);
  return row.map((_, column) => cells[column] ?? []);
}

function takeSpans(spans: Cell, n: number): Span[] {
  return takeParts({ parts: spans, size: sizeOfSpan, first: takeFromSpan }, n);
}

function takeFromSpan({ href, tex: _, ...span }: Span, n: number): Span {
  // An address that is written out, as the link text or after it, must not appear twice.
  const isLinked = href && /^https?:/i.test(href) && !isAddress(span.text, href);
  return { ...span, text: span.text.slice(0, n), ...(isLinked && { href }) };
}

/** All but the first `n` units; a block that is cut is marked with `continues`. */
export function drop(blocks: readonly Block[], n: number): Block[] {
  return dropParts({ parts: blocks, size: sizeOfBlock, rest: dropFromBlock }, n).rest;
}

/** The remaining parts, and how many were dropped whole. */
function dropParts<T>({ parts, size, rest }: Sequence<T>, n: number): { rest: T[]; dropped: number } {
  let left = n;
  let dropped = 0;
  for (; left > 0 && dropped < parts.length; dropped++) {
    const length = size(parts[dropped] as T, left);
    if (length > left) break;
    left -= length;
  }
  const remaining = parts.slice(dropped);
  const [first] = remaining;
  if (first !== undefined && left > 0 && rest) remaining[0] = rest(first, left);
  return { rest: remaining, dropped };
}

function dropFromBlock(block: Block, n: number): Block {
  switch (block.type) {
    case "paragraph":
    case "heading":
      return { ...block, spans: dropSpans(block.spans, n), continues: true };
    case "code":
      return { ...block, text: block.text.slice(n), continues: true };
    case "quote":
      return { ...block, blocks: drop(block.blocks, n), continues: true };
    case "list":
      return dropFromList(block, n);
    case "table": {
      const { rest } = dropParts({ parts: block.rows, size: sizeOfRow, rest: dropFromRow }, n);
      return { ...block, rows: rest, continues: true };
    }
    case "rule":
      return block;
  }
}

function dropFromList(list: List, n: number): List {
  const { rest, dropped } = dropParts({ parts: list.items, size: sizeOfItem, rest: dropFromItem }, n);
  const start = list.start === undefined ? {} : { start: list.start + dropped };
  return { ...list, ...start, items: rest, continues: true };
}

function dropFromItem(item: ListItem, n: number): ListItem {
  return { ...item, blocks: drop(item.blocks, n), continues: true };
}

function dropFromRow(row: readonly Cell[], n: number): readonly Cell[] {
  let left = n;
  return row.map((cell) => {
    const rest = dropSpans(cell, left);
    left = Math.max(0, left - sizeOfCell(cell));
    return rest;
  });
}

function dropSpans(spans: Cell, n: number): Span[] {
  return dropParts({ parts: spans, size: sizeOfSpan, rest: dropFromSpan }, n).rest;
}

function dropFromSpan({ tex: _, ...span }: Span, n: number): Span {
  return { ...span, text: span.text.slice(n) };
}

/** Appends blocks to others; a first block that `continues` is merged with the last one. */
export function join(blocks: readonly Block[], more: readonly Block[]): readonly Block[] {
  const last = blocks.at(-1);
  const [next, ...others] = more;
  if (!next) return blocks;
  const joined = last && next.continues && joinTwo(last, next);
  return joined ? [...blocks.slice(0, -1), joined, ...others] : [...blocks, ...more];
}

function joinTwo(a: Block, b: Block): Block | undefined {
  if (a.type === "paragraph" && b.type === "paragraph") return { ...a, spans: joinSpans(a.spans, b.spans) };
  if (a.type === "heading" && b.type === "heading") return { ...a, spans: joinSpans(a.spans, b.spans) };
  if (a.type === "code" && b.type === "code") return { ...a, text: a.text + b.text };
  if (a.type === "quote" && b.type === "quote") return joinQuotes(a, b);
  if (a.type === "list" && b.type === "list") return { ...a, items: joinItems(a.items, b.items) };
  if (a.type === "table" && b.type === "table") return joinTables(a, b);
  return undefined;
}

function joinQuotes(a: Quote, b: Quote): Quote {
  return { ...a, blocks: join(a.blocks, b.blocks) };
}

function joinItems(a: readonly ListItem[], b: readonly ListItem[]): readonly ListItem[] {
  const last = a.at(-1);
  const [next, ...others] = b;
  if (!last || !next?.continues) return [...a, ...b];
  return [...a.slice(0, -1), { ...last, blocks: join(last.blocks, next.blocks) }, ...others];
}

function joinTables(a: Table, b: Table): Table {
  return { ...a, rows: [...a.rows, ...b.rows] };
}

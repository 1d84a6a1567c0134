import type { Block, Cell, ListItem, Span } from "./block.ts";

/**
 * Positions in blocks are counted in units. Each UTF-16 code unit of text is one unit, and so is each block, item or
 * row without text. `take` and `drop` cut at a position; `join` puts both parts together again.
 */

/** The number of units in the blocks; counting stops beyond `limit`. */
export function sizeOf(blocks: readonly Block[], limit = Number.POSITIVE_INFINITY): number {
  return sum(blocks, sizeOfBlock, limit);
}

export function sizeOfBlock(block: Block, limit: number): number {
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

export function sizeOfItem(item: ListItem, limit: number): number {
  return Math.max(1, sizeOf(item.blocks, limit));
}

export function sizeOfRow(row: readonly Cell[]): number {
  return Math.max(1, sum(row, sizeOfCell));
}

export function sizeOfCell(cell: Cell): number {
  return sum(cell, sizeOfSpan);
}

export function sizeOfSpan(span: Span): number {
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

/** Returns the size of a part, in units; it may stop counting beyond `limit`. */
export type SizeOf<T> = (part: T, limit: number) => number;

function sum<T>(parts: readonly T[], size: SizeOf<T>, limit = Number.POSITIVE_INFINITY): number {
  let total = 0;
  for (const part of parts) {
    if (total > limit) break;
    total += size(part, limit - total);
  }
  return total;
}

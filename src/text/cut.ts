import type { Block, Cell, List, ListItem, Span } from "./block.ts";
import { isAddress } from "./links.ts";
import { type SizeOf, sizeOfBlock, sizeOfCell, sizeOfItem, sizeOfRow, sizeOfSpan } from "./size.ts";

/** The first `n` units. A formula that is cut becomes text. */
export function take(blocks: readonly Block[], n: number): Block[] {
  return takeParts({ parts: blocks, size: sizeOfBlock, first: takeFromBlock }, n);
}

interface Sequence<T> {
  readonly parts: readonly T[];
  readonly size: SizeOf<T>;
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

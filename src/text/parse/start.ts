import type { Block, ListItem } from "../block.ts";

/**
 * Where parsing resumes. All text before this point is settled and never parsed again. If the point is in the middle of
 * a block, `before` is source text that brings the parser back into that block.
 */
export interface Start {
  readonly before: string;
  /** The number of characters of the first text that are there only to continue a paragraph. */
  readonly sentinel: number;
  /** The containers of the first block, outermost first; all of them continue. */
  readonly spine: readonly Container[];
  /** Whether the first block itself continues. */
  readonly continues: boolean;
  /** The widths of the columns, if the first block is a table that continues. */
  readonly widths?: readonly number[] | undefined;
  /** How many units after this point have been returned already. */
  readonly emitted: number;
}

/** A quote, a list whose next item follows, or an item of a list. */
export interface Container {
  readonly type: "quote" | "list" | "item";
  /** In an ordered list, the number of the next item, or of this one. */
  readonly number?: number | undefined;
}

/** The beginning of the text. */
export const BEGINNING: Start = { before: "", sentinel: 0, spine: [], continues: false, emitted: 0 };

/** Marks the first block, and those that contain it, as the rest of blocks that were parsed before. */
export function markContinued(blocks: readonly Block[], start: Start): readonly Block[] {
  const [first, ...others] = blocks;
  const [frame, ...spine] = start.spine;
  if (!first || (!frame && !start.continues)) return blocks;
  const within = { ...start, spine };
  if (first.type === "quote" && frame?.type === "quote") {
    return [{ ...first, continues: true, blocks: markContinued(first.blocks, within) }, ...others];
  }
  if (first.type === "list" && frame) {
    const number = frame.number === undefined ? {} : { start: frame.number };
    const items = frame.type === "item" ? markItemContinued(first.items, within) : first.items;
    return [{ ...first, ...number, continues: true, items }, ...others];
  }
  if (first.type === "table" && start.widths) {
    return [{ ...first, widths: start.widths, continues: true }, ...others];
  }
  return [{ ...first, continues: true }, ...others];
}

function markItemContinued([item, ...others]: readonly ListItem[], start: Start): readonly ListItem[] {
  return item ? [{ ...item, continues: true, blocks: markContinued(item.blocks, start) }, ...others] : others;
}

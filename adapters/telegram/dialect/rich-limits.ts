import type { Block, Cell, Table } from "../../../src/text/block.ts";

/**
 * The most characters of a rich message's source. Telegram allows 32 768 characters of text, without tags
 * (https://core.telegram.org/bots/api#rich-message-limits). The source is never shorter, and a margin is left.
 */
export const MAX_RICH_LENGTH = 32_000;

/** The most bytes of the source. The server silently cuts it at 35 000 bytes (TDLib's clean_input_string). */
const MAX_BYTES = 34_500;

/** The most blocks, including items and rows. Telegram allows 500 (same page). */
const MAX_BLOCKS = 490;

/** The most columns of a table (same page). The rows of a wider table are printed as cards. */
export const MAX_COLUMNS = 20;

/** Whether the blocks contain a table or a formula, which text with entities cannot express. */
export function needsRich(blocks: readonly Block[]): boolean {
  return blocks.some((block) => {
    switch (block.type) {
      case "paragraph":
      case "heading":
        return hasFormula(block.spans);
      case "quote":
        return needsRich(block.blocks);
      case "list":
        return block.items.some((item) => needsRich(item.blocks));
      case "table":
        return columnsOf(block) <= MAX_COLUMNS || rowsOf(block).some((row) => row.some(hasFormula));
      default:
        return false;
    }
  });
}

function hasFormula(spans: Cell): boolean {
  return spans.some(({ tex }) => tex !== undefined);
}

/** Whether a rich message keeps Telegram's limits. `printRich` itself keeps those of nesting and columns. */
export function fitsRich(html: string): boolean {
  if (html.length > MAX_RICH_LENGTH || Buffer.byteLength(html) > MAX_BYTES) return false;
  return countBlocks(html) <= MAX_BLOCKS;
}

/** Counts an item twice: it contains a paragraph, with or without a tag. */
function countBlocks(html: string): number {
  const tags = html.match(/<(?:p|h[r1-6]|pre|[ou]l|li|blockquote|table|tr|tg-math-block)\b/g) ?? [];
  return tags.length + tags.filter((tag) => tag === "<li").length;
}

function rowsOf({ head, rows }: Table): readonly (readonly Cell[])[] {
  return [head, ...rows];
}

/** The width of a table's widest row. */
export function columnsOf(table: Table): number {
  return rowsOf(table).reduce((most, row) => Math.max(most, row.length), 0);
}

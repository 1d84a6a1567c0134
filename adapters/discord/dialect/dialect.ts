import type { Block, Heading, List, ListItem, Style, Table } from "../../../src/text/block.ts";
import type { Dialect } from "../../../src/text/dialect/dialect.ts";
import { alignTable, tableCards } from "../../../src/text/dialect/table.ts";
import { componentsFor, fitsButton } from "./buttons.ts";
import { APART, codeBlock } from "./escape.ts";
import { printSpans } from "./spans.ts";

/** The content of a message, in the form of "Create Message". */
export interface DiscordBody {
  readonly content: string;
  /** Rows of buttons below the text. */
  readonly components?: readonly object[];
}

/** Longest `content`, in code points (Discord's staff in discord-api-docs #1315). */
const MAX_LENGTH = 2000;

/** How many monospaced columns fit on a phone. */
const TABLE_WIDTH = 40;

/** Discord has three levels of headings. */
const MAX_HEADING_LEVEL = 3;

/** Creates the dialect of Discord's Markdown. Plain text that looks like markup is escaped. */
export function createDiscordDialect(): Dialect<DiscordBody> {
  return {
    limits: { length: MAX_LENGTH, unit: "code points" },
    print: (blocks) => ({
      content: printBlocks(liftContinuation(blocks), false).replace(/^\n+/, "").trimEnd(),
    }),
    fits: ({ content }) => countCodePoints(content) <= MAX_LENGTH,
    buttons: {
      fits: fitsButton,
      add: (body, choices) => ({ ...body, components: componentsFor(choices) }),
    },
  };
}

function countCodePoints(text: string): number {
  return text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);
}

/**
 * Moves the rest of a list item from the previous page in front of the list. Discord trims white space at the beginning
 * of a message, so the item's first line would lose its indent and the others would keep it.
 */
function liftContinuation(blocks: readonly Block[]): readonly Block[] {
  const [list, ...rest] = blocks;
  const item = list?.type === "list" ? list.items[0] : undefined;
  if (list?.type !== "list" || !item?.continues) return blocks;
  const inner = liftContinuation(item.blocks);
  const first = inner.findIndex(({ type }) => type === "list");
  if (first === 0) return blocks;
  if (first > 0) {
    const items = [{ ...item, blocks: inner.slice(first) }, ...list.items.slice(1)];
    return [...inner.slice(0, first), { ...list, items }, ...rest];
  }
  const items = list.items.slice(1);
  const start = list.start === undefined ? {} : { start: list.start + 1 };
  return [...inner, ...(items.length > 0 ? [{ ...list, ...start, items }] : []), ...rest];
}

/** Prints blocks; within a list item (`nested`) there are no empty lines between them. */
function printBlocks(blocks: readonly Block[], nested: boolean): string {
  let text = "";
  for (const [index, block] of blocks.entries()) {
    const before = blocks[index - 1];
    if (before) text += nested ? "\n" : "\n\n";
    // Without a separator, Discord would merge two lists and continue the numbers of the first.
    if (before?.type === "list" && block.type === "list") text += `${nested ? "\n" : ""}${APART}\n`;
    text += printBlock(block, nested);
  }
  return text;
}

function printBlock(block: Block, nested: boolean): string {
  switch (block.type) {
    case "paragraph":
      return printSpans(block.spans);
    case "heading":
      return printHeading(block, nested);
    case "code":
      return codeBlock(block.text, block.language);
    case "quote":
      return (printBlocks(flattenQuotes(block.blocks), nested) || APART).replace(/^/gm, "> ");
    case "list":
      return printList(block);
    case "table":
      return printTable(block);
    case "rule":
      return "———";
  }
}

/** Removes nested quotes, which Discord does not support. */
function flattenQuotes(blocks: readonly Block[]): readonly Block[] {
  return blocks.flatMap((block) => (block.type === "quote" ? flattenQuotes(block.blocks) : [block]));
}

function printHeading({ level, spans }: Heading, nested: boolean): string {
  if (!nested && level <= MAX_HEADING_LEVEL) {
    const text = printSpans(spans).replaceAll("\n", " ");
    // Discord would treat the "#" of "C#" as the closing mark of the heading.
    return `${"#".repeat(level)} ${text}${text && !text.endsWith("#") ? "" : APART}`;
  }
  return printSpans(
    spans.map((span) => ({ ...span, styles: [...new Set<Style>(["bold", ...(span.styles ?? [])])] })),
  );
}

function printList({ items, start }: List): string {
  return items.map((item, index) => printItem(item, markerOf(start, index))).join("\n");
}

/** Discord's lists begin at 1 or later, so a list that begins at 0 is printed as text. */
function markerOf(start: number | undefined, index: number): string {
  if (start === undefined) return "- ";
  return start === 0 ? `${index}\\. ` : `${start + index}. `;
}

function printItem(item: ListItem, marker: string): string {
  const space = marker === "- " ? "  " : "   ";
  const body = indent(printBlocks(item.blocks, true), space) || APART;
  if (!item.continues) return marker + boxOf(item) + body;
  // Without an item around it, Discord would show the inner list as the outer one.
  return item.blocks[0]?.type === "list" ? `${marker}…\n${space}${body}` : space + body;
}

function boxOf({ checked }: ListItem): string {
  return checked === undefined ? "" : checked ? "☑ " : "☐ ";
}

/** Indents all lines except the first. */
function indent(text: string, space: string): string {
  return text.replaceAll("\n", `\n${space}`);
}

function printTable(table: Table): string {
  const lines = alignTable(table, TABLE_WIDTH);
  if (lines) return codeBlock(lines.join("\n"), "");
  return tableCards(table)
    .map((card) => card.map(printSpans).join("\n"))
    .join("\n\n");
}

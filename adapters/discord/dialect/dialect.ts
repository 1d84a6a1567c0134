import type { Block, Heading, List, ListItem, Style, Table } from "../../../src/text/block.ts";
import type { Dialect } from "../../../src/text/dialect/dialect.ts";
import { alignTable, tableCards } from "../../../src/text/dialect/table.ts";
import { componentsFor, fitsButton } from "./buttons.ts";
import { APART, codeBlock } from "./escape.ts";
import { printSpans } from "./spans.ts";

/** A message as "Create Message" takes it. */
export interface DiscordBody {
  readonly content: string;
  /** Rows of buttons below it. */
  readonly components?: readonly object[];
}

/** Discord's limit for `content`; its staff say that it counts code points (discord-api-docs #1315). */
const MAX_LENGTH = 2000;

/** So many monospaced columns fit on a telephone. */
const TABLE_WIDTH = 40;

/** Discord knows three sizes of headings. */
const LAST_HEADING = 3;

/** Rich text as Discord's Markdown; what is text stays text, whatever it looks like. */
export function createDiscordDialect(): Dialect<DiscordBody> {
  return {
    limits: { length: MAX_LENGTH, unit: "code points" },
    print: (blocks) => ({ content: printBlocks(lifted(blocks), false).replace(/^\n+/, "").trimEnd() }),
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
 * What goes on in an item from the page before stands before the list: Discord cuts the room off where a message
 * begins, and what is indented with it would be indented alone.
 */
function lifted(blocks: readonly Block[]): readonly Block[] {
  const [list, ...rest] = blocks;
  const item = list?.type === "list" ? list.items[0] : undefined;
  if (list?.type !== "list" || !item?.continues) return blocks;
  const inner = lifted(item.blocks);
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

/** `nested`: within a list item, where blocks stand closer together. */
function printBlocks(blocks: readonly Block[], nested: boolean): string {
  let text = "";
  for (const [index, block] of blocks.entries()) {
    const before = blocks[index - 1];
    if (before) text += nested ? "\n" : "\n\n";
    // A list would be read as more of the list before it, with its numbers or without.
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
      return (printBlocks(flat(block.blocks), nested) || APART).replace(/^/gm, "> ");
    case "list":
      return printList(block);
    case "table":
      return printTable(block);
    case "rule":
      return "———";
  }
}

/** Discord knows no quotes in quotes. */
function flat(blocks: readonly Block[]): readonly Block[] {
  return blocks.flatMap((block) => (block.type === "quote" ? flat(block.blocks) : [block]));
}

function printHeading({ level, spans }: Heading, nested: boolean): string {
  if (!nested && level <= LAST_HEADING) {
    const text = printSpans(spans).replaceAll("\n", " ");
    // Discord takes the last "#" of "C#" for a mark of the heading.
    return `${"#".repeat(level)} ${text}${text && !text.endsWith("#") ? "" : APART}`;
  }
  return printSpans(
    spans.map((span) => ({ ...span, styles: [...new Set<Style>(["bold", ...(span.styles ?? [])])] })),
  );
}

function printList({ items, start }: List): string {
  return items.map((item, index) => printItem(item, markerOf(start, index))).join("\n");
}

/** Discord counts from 1: a list that begins with 0 is text. */
function markerOf(start: number | undefined, index: number): string {
  if (start === undefined) return "- ";
  return start === 0 ? `${index}\\. ` : `${start + index}. `;
}

function printItem(item: ListItem, marker: string): string {
  const indent = marker === "- " ? "  " : "   ";
  const body = indented(printBlocks(item.blocks, true), indent) || APART;
  if (!item.continues) return marker + boxOf(item) + body;
  // An inner list would be taken for the outer one without an item around it.
  return item.blocks[0]?.type === "list" ? `${marker}…\n${indent}${body}` : indent + body;
}

function boxOf({ checked }: ListItem): string {
  return checked === undefined ? "" : checked ? "☑ " : "☐ ";
}

/** Indents all lines but the first. */
function indented(text: string, indent: string): string {
  return text.replaceAll("\n", `\n${indent}`);
}

function printTable(table: Table): string {
  const lines = alignTable(table, TABLE_WIDTH);
  if (lines) return codeBlock(lines.join("\n"), "");
  return tableCards(table)
    .map((card) => card.map(printSpans).join("\n"))
    .join("\n\n");
}

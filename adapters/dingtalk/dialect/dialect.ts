import type { Block, Heading, List, ListItem, Span, Style, Table } from "../../../src/text/block.ts";
import type { Dialect } from "../../../src/text/dialect/dialect.ts";
import { tableCards } from "../../../src/text/dialect/table.ts";
import { codeBlock, withPlainStarts } from "./escape.ts";
import { printSpans } from "./spans.ts";
import { MAX_TITLE, titleOf } from "./title.ts";

/** The content of a Markdown message on DingTalk. */
export interface DingtalkBody {
  /** Shown in the list of conversations and in notifications. */
  readonly title: string;
  readonly text: string;
}

/** Longest `msgParam`, the JSON of the body, in bytes of UTF-8 (help.dingtalk.io). */
const MAX_BYTES = 15_000;

/** Reserved bytes: the title, with up to four bytes a character, the JSON around title and text, and a margin. */
const RESERVE = 4 * MAX_TITLE + 140;

/** Deepest list that is indented further; more indents would fill the message. */
const MAX_DEPTH = 9;

/** Indent of a list item's content that both old and new parsers accept. */
const INDENT = 4;

/**
 * Creates the dialect of DingTalk's Markdown: headings, bold, italic, links, lists, quotes, and on desktop clients code. A
 * line ends in two spaces, because the client would otherwise join it with the next one.
 */
export function createDingtalkDialect(): Dialect<DingtalkBody> {
  return {
    limits: { length: MAX_BYTES, unit: "bytes" },
    print: (blocks) => ({ title: titleOf(blocks), text: printBlocks(blocks, 0) }),
    fits: ({ text }) => Buffer.byteLength(JSON.stringify(text)) <= MAX_BYTES - RESERVE,
  };
}

/** Prints blocks; `depth` is the number of lists around them. */
function printBlocks(blocks: readonly Block[], depth: number): string {
  let text = "";
  for (const [index, block] of blocks.entries()) {
    if (index > 0) text += depth > 0 && mayFollowText(block, blocks[index - 1]) ? "\n" : "\n\n";
    text += printBlock(block, depth);
  }
  return text;
}

/** Whether a list within an item may follow the text directly; CommonMark requires an empty line before any other. */
function mayFollowText(block: Block, before: Block | undefined): boolean {
  if (block.type !== "list" || before?.type !== "paragraph" || (block.start ?? 1) !== 1) return false;
  const [item] = block.items;
  return item !== undefined && !item.continues && beginsWithText(item);
}

function beginsWithText({ blocks: [first] }: ListItem): boolean {
  return (
    (first?.type === "paragraph" || first?.type === "heading") && first.spans.some(({ text }) => text.trim())
  );
}

function printBlock(block: Block, depth: number): string {
  switch (block.type) {
    case "paragraph":
      return printText(block.spans);
    case "heading":
      return printHeading(block, depth);
    case "code":
      return codeBlock(block.text, block.language);
    case "quote":
      return printBlocks(block.blocks, depth).replace(/^/gm, "> ");
    case "list":
      return printList(block, depth);
    case "table":
      return printTable(block);
    case "rule":
      return "———";
  }
}

function printText(spans: readonly Span[]): string {
  return withPlainStarts(printSpans(spans)).replace(/(?<![^\S\n])[^\S\n]*\n/g, "  \n");
}

function printHeading({ level, spans }: Heading, depth: number): string {
  if (depth > 0) return printText(spans.map(bold));
  const line = printSpans(spans.map((span) => ({ ...span, text: span.text.replaceAll("\n", " ") })));
  return `${"#".repeat(level)} ${line.replace(/(?<!#)#+\s*$/, "\\$&")}`;
}

function bold(span: Span): Span {
  return { ...span, styles: [...new Set<Style>(["bold", ...(span.styles ?? [])])] };
}

/** Prints a list. The rest of an item from the previous page gets no marker and no indent. */
function printList({ items, start }: List, depth: number): string {
  const [first, ...others] = items;
  const isRest = first?.continues ?? false;
  const rest = isRest && first ? printBlocks(first.blocks, depth) : "";
  const list = (isRest ? others : items)
    .map((item, index) =>
      printItem(item, start === undefined ? undefined : start + index + (isRest ? 1 : 0), depth),
    )
    .join("\n");
  return [rest, list].filter(Boolean).join("\n\n");
}

function printItem(item: ListItem, number: number | undefined, depth: number): string {
  const marker = number === undefined ? "-" : `${number}.`;
  const indent = depth < MAX_DEPTH ? " ".repeat(Math.max(INDENT, marker.length + 1)) : "";
  const task = item.checked === undefined ? "" : item.checked ? "☑ " : "☐ ";
  const body = printBlocks(item.blocks, depth + 1).replace(/\n(?=[^\n])/g, `\n${indent}`);
  if (beginsWithText(item)) return `${marker} ${task}${body}`;
  return `${marker} ${task}`.trimEnd() + (body && `\n${indent}${body}`);
}

/** Prints a paragraph for each row: only recent clients support tables, and others show the bars. */
function printTable(table: Table): string {
  return tableCards({ ...table, head: table.head.map((cell) => cell.map(bold)) })
    .map((card) => card.map(printText).join("  \n"))
    .join("\n\n");
}

import type { Block, Heading, List, ListItem, Span, Style, Table } from "../../../src/text/block.ts";
import type { Dialect } from "../../../src/text/dialect/dialect.ts";
import { tableCards } from "../../../src/text/dialect/table.ts";
import { codeBlock, withPlainStarts } from "./escape.ts";
import { printSpans } from "./spans.ts";
import { MAX_TITLE, titleOf } from "./title.ts";

/** What a Markdown message of DingTalk shows, whichever way it is sent. */
export interface DingtalkBody {
  /** For the list of conversations and for notifications. */
  readonly title: string;
  readonly text: string;
}

/** `msgParam`, the JSON of the body, may have so many bytes in UTF-8 (help.dingtalk.io). */
const MAX_BYTES = 15_000;

/** Kept free: the title, whose characters have up to four bytes, what stands around it and the text, and some. */
const RESERVE = 4 * MAX_TITLE + 140;

/** Lists are nested no deeper than this, so that indents do not fill the message. */
const MAX_DEPTH = 9;

/** What parsers old and new take for the content of a list item. */
const INDENT = 4;

/**
 * Rich text as the Markdown that DingTalk knows: headings, bold, italic, links, lists and quotes, and on computers
 * code. A line ends in two spaces, or it would go on in the next.
 */
export function createDingtalkDialect(): Dialect<DingtalkBody> {
  return {
    limits: { length: MAX_BYTES, unit: "bytes" },
    print: (blocks) => ({ title: titleOf(blocks), text: printBlocks(blocks, 0) }),
    fits: ({ text }) => Buffer.byteLength(JSON.stringify(text)) <= MAX_BYTES - RESERVE,
  };
}

/** `depth`: within so many lists. */
function printBlocks(blocks: readonly Block[], depth: number): string {
  let text = "";
  for (const [index, block] of blocks.entries()) {
    if (index > 0) text += depth > 0 && mayFollowText(block, blocks[index - 1]) ? "\n" : "\n\n";
    text += printBlock(block, depth);
  }
  return text;
}

/** Whether a list within an item is one without an empty line before it; CommonMark is strict there. */
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

/** What is left of an item from the page before has no marker, and nothing to be indented under. */
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

/** Clients of late know tables, others show nothing but bars: one paragraph a row reads well on all. */
function printTable(table: Table): string {
  return tableCards({ ...table, head: table.head.map((cell) => cell.map(bold)) })
    .map((card) => card.map(printText).join("  \n"))
    .join("\n\n");
}

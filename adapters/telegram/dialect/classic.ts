import type { Block, List, ListItem, Span, Style, Table } from "../../../src/text/block.ts";
import { type Mark, writeSpans } from "../../../src/text/dialect/nest.ts";
import { alignTable, tableCards } from "../../../src/text/dialect/table.ts";
import { spellOutLinks } from "../../../src/text/links.ts";
import { cleaned } from "./clean.ts";
import { countEntities, type MessageEntity, type MutableEntity, trimmed } from "./entities.ts";
import { isLinkable } from "./links.ts";
import { withoutActs } from "./mentions.ts";
import { isLongQuote } from "./quote.ts";

/** A message for `sendMessage`. It has entities and never a `parse_mode`, so nothing needs escaping. */
export interface ClassicBody {
  /** Empty if the message exists only as a rich message. */
  readonly text: string;
  readonly entities: readonly MessageEntity[];
}

/**
 * The Bot API allows 4096 characters after parsing. TDLib counts code points; counting UTF-16 units is safe, as there
 * are never fewer.
 */
export const MAX_LENGTH = 4096;

/** Telegram silently drops entities beyond 100 (TDLib's MAX_USER_ENTITY_COUNT); a margin is left. */
const MAX_ENTITIES = 95;

/** The most monospaced columns that fit on a phone. */
const TABLE_WIDTH = 40;

/** The deepest indentation of a list, in columns. */
const MAX_INDENT = 40;

/** Whether text with entities keeps Telegram's limits. */
export function fitsClassic({ text, entities }: ClassicBody): boolean {
  return (
    text.length <= MAX_LENGTH && entities.length <= MAX_ENTITIES && countEntities(entities) <= MAX_ENTITIES
  );
}

/** Prints blocks as text with entities. */
export function printClassic(blocks: readonly Block[]): ClassicBody {
  const page: Page = { text: "", entities: [] };
  printBlocks(blocks, { page, indent: "", quoted: false });
  return withoutActs(trimmed(page));
}

/** The message that is being printed. */
interface Page {
  text: string;
  readonly entities: MutableEntity[];
}

interface Context {
  readonly page: Page;
  /** The prefix of new lines. */
  readonly indent: string;
  /** Whether this is inside a quote, where Telegram allows no other quote. */
  readonly quoted: boolean;
}

function printBlocks(blocks: readonly Block[], context: Context): void {
  for (const [index, block] of blocks.entries()) {
    if (index > 0) context.page.text += context.indent ? newLine(block, context) : "\n\n";
    printBlock(block, context);
  }
}

/** Monospaced blocks begin at the margin. */
function newLine({ type }: Block, { indent }: Context): string {
  return type === "code" || type === "table" ? "\n" : `\n${indent}`;
}

function printBlock(block: Block, context: Context): void {
  switch (block.type) {
    case "paragraph":
      return printSpans(block.spans, context);
    case "heading":
      return printSpans(block.spans.map(bold), context);
    case "code":
      return printCode(block.text, block.language, context);
    case "quote":
      return printQuote(block.blocks, context);
    case "list":
      return printList(block, context);
    case "table":
      return printTable(block, context);
    case "rule":
      context.page.text += "———";
  }
}

function bold(span: Span): Span {
  return { ...span, styles: ["bold", ...(span.styles ?? []).filter((style) => style !== "bold")] };
}

const TYPES: Readonly<Record<Exclude<Style, "code">, MessageEntity["type"]>> = {
  bold: "bold",
  italic: "italic",
  strike: "strikethrough",
  spoiler: "spoiler",
};

function printSpans(spans: readonly Span[], { page, indent }: Context): void {
  const open: MutableEntity[] = [];
  // Telegram links written-out addresses by itself, but does not always find where they end.
  const linked = spellOutLinks(spans, (link) => isLinkable(link.href ?? ""));
  writeSpans(linked.map(exclusive), {
    open: (mark) => open.push(begin(page, entityOf(mark))),
    close: () => end(page, open.pop()),
    text: ({ text }) => {
      page.text += indent ? cleaned(text).replaceAll("\n", `\n${indent}`) : cleaned(text);
    },
  });
}

/** Code excludes all other formatting but a quote. A link takes precedence over code, as its address matters more. */
function exclusive(span: Span): Span {
  if (!span.styles?.includes("code")) return span;
  const { styles, ...link } = span;
  return span.href
    ? { ...link, styles: styles.filter((style) => style !== "code") }
    : { ...link, styles: ["code"] };
}

function entityOf(mark: Mark): MutableEntity {
  if ("href" in mark) return { type: "text_link", offset: 0, length: 0, url: mark.href };
  return { type: mark.style === "code" ? "code" : TYPES[mark.style], offset: 0, length: 0 };
}

/** Adds an entity when it begins, so that an outer entity comes before the ones inside it. */
function begin({ text, entities }: Page, entity: MutableEntity): MutableEntity {
  entity.offset = text.length;
  entities.push(entity);
  return entity;
}

function end({ text }: Page, entity: MutableEntity | undefined): void {
  if (entity) entity.length = text.length - entity.offset;
}

function printCode(text: string, language: string, { page }: Context): void {
  const kind = { type: "pre", offset: 0, length: 0 } as const;
  const entity = begin(page, language ? { ...kind, language: cleaned(language) } : { ...kind });
  page.text += cleaned(text);
  end(page, entity);
}

function printQuote(blocks: readonly Block[], context: Context): void {
  const entity = context.quoted
    ? undefined
    : begin(context.page, { type: "blockquote", offset: 0, length: 0 });
  printBlocks(blocks, { ...context, quoted: true });
  end(context.page, entity);
  if (entity && isLongQuote(context.page.text.slice(entity.offset))) entity.type = "expandable_blockquote";
}

function printList({ items, start }: List, context: Context): void {
  const indent = (context.indent + (start === undefined ? "  " : "   ")).slice(0, MAX_INDENT);
  const within: Context = { ...context, indent };
  for (const [index, item] of items.entries()) {
    const [first] = item.blocks;
    if (index > 0) context.page.text += `\n${context.indent}`;
    if (!item.continues) {
      context.page.text += markerOf(item, start === undefined ? undefined : start + index);
      if (first && ["code", "table", "quote"].includes(first.type))
        context.page.text += newLine(first, within);
    }
    printBlocks(item.blocks, within);
  }
}

function markerOf({ checked }: ListItem, number: number | undefined): string {
  if (checked !== undefined) return checked ? "☑ " : "☐ ";
  return number === undefined ? "• " : `${number}. `;
}

function printTable(table: Table, context: Context): void {
  const lines = alignTable(table, TABLE_WIDTH);
  if (lines) return printCode(lines.join("\n"), "", context);
  for (const [index, card] of tableCards(table).entries()) {
    if (index > 0) context.page.text += `\n\n${context.indent}`;
    for (const [line, spans] of card.entries()) {
      if (line > 0) context.page.text += `\n${context.indent}`;
      printSpans(spans, context);
    }
  }
}

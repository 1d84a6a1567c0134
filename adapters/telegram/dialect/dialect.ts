import type { Block, List, ListItem, Span, Style, Table } from "../../../src/text/block.ts";
import type { Buttons, Dialect } from "../../../src/text/dialect/dialect.ts";
import { spellOutLinks } from "../../../src/text/links.ts";
import { type Mark, writeSpans } from "../../../src/text/dialect/nest.ts";
import { alignTable, tableCards } from "../../../src/text/dialect/table.ts";
import { type Button, buttonsFor, fitsButton } from "./buttons.ts";
import { cleaned } from "./clean.ts";
import { countEntities, type MessageEntity, trimmed } from "./entities.ts";
import { isLinkable } from "./links.ts";
import { withoutActs } from "./mentions.ts";
import { isLongQuote } from "./quote.ts";
import { fitsRich, MAX_RICH_LENGTH, needsRich, printRich, type RichMode } from "./rich.ts";

export type { MessageEntity } from "./entities.ts";

/** A message as `sendMessage` takes it: entities, and never a `parse_mode`, so nothing needs escaping. */
export interface ClassicBody {
  /** Empty if the message is to be rich in any case. */
  readonly text: string;
  readonly entities: readonly MessageEntity[];
}

/** A message in all forms that it has. */
export interface TelegramBody extends ClassicBody {
  /** The same as the HTML of a rich message, where that says more; servers of before Bot API 10.1 know none. */
  readonly rich?: string;
  /** What may be chosen below it, row by row. */
  readonly buttons?: readonly (readonly Button[])[];
}

/**
 * The Bot API allows 4096 characters after parsing. TDLib counts code points; UTF-16 units are never fewer,
 * so counting them is safe.
 */
const MAX_LENGTH = 4096;

/** Beyond 100 entities Telegram drops formatting without a word (TDLib's MAX_USER_ENTITY_COUNT); some are kept free. */
const MAX_ENTITIES = 95;

/** So many monospaced columns fit on a telephone. */
const TABLE_WIDTH = 40;

/** Deeper lists are indented no further than this many columns. */
const MAX_INDENT = 40;

/**
 * Rich text as text with entities, as rich messages, or (`auto`) as text with entities to which the rich form is
 * added where it says more. Then both have to fit, so that the pages do not depend on what the server knows.
 */
export function createTelegramDialect(options: { readonly rich?: RichMode } = {}): Dialect<TelegramBody> {
  const { rich = "auto" } = options;
  if (rich === "rich") return RICH;
  return {
    limits: { length: MAX_LENGTH, unit: "utf16" },
    print: (blocks) => ({
      ...printClassic(blocks),
      ...(rich === "auto" && needsRich(blocks) && { rich: printRich(blocks) }),
    }),
    fits: (body) => fitsClassic(body) && (body.rich === undefined || fitsRich(body.rich)),
    buttons: BUTTONS,
  };
}

const BUTTONS: Buttons<TelegramBody> = {
  fits: fitsButton,
  add: (body, choices) => ({ ...body, buttons: buttonsFor(choices) }),
};

const RICH: Dialect<TelegramBody> = {
  limits: { length: MAX_RICH_LENGTH, unit: "utf16" },
  print: (blocks) => ({ text: "", entities: [], rich: printRich(blocks) }),
  fits: ({ rich = "" }) => fitsRich(rich),
  buttons: BUTTONS,
};

function printClassic(blocks: readonly Block[]): ClassicBody {
  const page: Page = { text: "", entities: [] };
  printBlocks(blocks, { page, indent: "", quoted: false });
  return withoutActs(trimmed(page));
}

/** Whether a message without its rich form keeps Telegram's limits. */
export function fitsClassic({ text, entities }: ClassicBody): boolean {
  return (
    text.length <= MAX_LENGTH && entities.length <= MAX_ENTITIES && countEntities(entities) <= MAX_ENTITIES
  );
}

/** A message in the making. */
interface Page {
  text: string;
  readonly entities: Draft[];
}

/** An entity in the making. */
type Draft = { -readonly [field in keyof MessageEntity]: MessageEntity[field] };

interface Place {
  readonly page: Page;
  /** What new lines begin with. */
  readonly indent: string;
  /** Within a quote: Telegram knows no quotes in quotes. */
  readonly quoted: boolean;
}

function printBlocks(blocks: readonly Block[], place: Place): void {
  for (const [index, block] of blocks.entries()) {
    if (index > 0) place.page.text += place.indent ? newLine(block, place) : "\n\n";
    printBlock(block, place);
  }
}

/** What is monospaced begins at the margin. */
function newLine({ type }: Block, { indent }: Place): string {
  return type === "code" || type === "table" ? "\n" : `\n${indent}`;
}

function printBlock(block: Block, place: Place): void {
  switch (block.type) {
    case "paragraph":
      return printSpans(block.spans, place);
    case "heading":
      return printSpans(block.spans.map(bold), place);
    case "code":
      return printCode(block.text, block.language, place);
    case "quote":
      return printQuote(block.blocks, place);
    case "list":
      return printList(block, place);
    case "table":
      return printTable(block, place);
    case "rule":
      place.page.text += "———";
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

function printSpans(spans: readonly Span[], { page, indent }: Place): void {
  const open: Draft[] = [];
  // Telegram finds by itself an address that is written out, but not always where it ends.
  const linked = spellOutLinks(spans, (link) => isLinkable(link.href ?? ""));
  writeSpans(linked.map(exclusive), {
    open: (mark) => open.push(begin(page, entityOf(mark))),
    close: () => end(page, open.pop()),
    text: ({ text }) => {
      page.text += indent ? cleaned(text).replaceAll("\n", `\n${indent}`) : cleaned(text);
    },
  });
}

/** Code can hold nothing and be in nothing but a quote; where it is a link, the address matters more. */
function exclusive(span: Span): Span {
  if (!span.styles?.includes("code")) return span;
  const { styles, ...link } = span;
  return span.href
    ? { ...link, styles: styles.filter((style) => style !== "code") }
    : { ...link, styles: ["code"] };
}

function entityOf(mark: Mark): Draft {
  if ("href" in mark) return { type: "text_link", offset: 0, length: 0, url: mark.href };
  return { type: mark.style === "code" ? "code" : TYPES[mark.style], offset: 0, length: 0 };
}

/** Entities are listed as they begin, so that the outer one comes first. */
function begin({ text, entities }: Page, draft: Draft): Draft {
  draft.offset = text.length;
  entities.push(draft);
  return draft;
}

function end({ text }: Page, draft: Draft | undefined): void {
  if (draft) draft.length = text.length - draft.offset;
}

function printCode(text: string, language: string, { page }: Place): void {
  const kind = { type: "pre", offset: 0, length: 0 } as const;
  const draft = begin(page, language ? { ...kind, language: cleaned(language) } : { ...kind });
  page.text += cleaned(text);
  end(page, draft);
}

function printQuote(blocks: readonly Block[], place: Place): void {
  const draft = place.quoted ? undefined : begin(place.page, { type: "blockquote", offset: 0, length: 0 });
  printBlocks(blocks, { ...place, quoted: true });
  end(place.page, draft);
  if (draft && isLongQuote(place.page.text.slice(draft.offset))) draft.type = "expandable_blockquote";
}

function printList({ items, start }: List, place: Place): void {
  const indent = (place.indent + (start === undefined ? "  " : "   ")).slice(0, MAX_INDENT);
  const within: Place = { ...place, indent };
  for (const [index, item] of items.entries()) {
    const [first] = item.blocks;
    if (index > 0) place.page.text += `\n${place.indent}`;
    if (!item.continues) {
      place.page.text += markerOf(item, start === undefined ? undefined : start + index);
      if (first && ["code", "table", "quote"].includes(first.type)) place.page.text += newLine(first, within);
    }
    printBlocks(item.blocks, within);
  }
}

function markerOf({ checked }: ListItem, number: number | undefined): string {
  if (checked !== undefined) return checked ? "☑ " : "☐ ";
  return number === undefined ? "• " : `${number}. `;
}

function printTable(table: Table, place: Place): void {
  const lines = alignTable(table, TABLE_WIDTH);
  if (lines) return printCode(lines.join("\n"), "", place);
  for (const [index, card] of tableCards(table).entries()) {
    if (index > 0) place.page.text += `\n\n${place.indent}`;
    for (const [line, spans] of card.entries()) {
      if (line > 0) place.page.text += `\n${place.indent}`;
      printSpans(spans, place);
    }
  }
}

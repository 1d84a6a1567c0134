import type { Block, Cell, List, ListItem, Quote, Table } from "../../../src/text/block.ts";
import { tableCards } from "../../../src/text/dialect/table.ts";
import { cleaned } from "./clean.ts";
import { isLongQuote } from "./quote.ts";
import { escapeHtml, printFormula, printRichSpans } from "./rich-spans.ts";

/** How messages are written: with entities, as rich messages, or rich where that says more than entities can. */
export type RichMode = "auto" | "classic" | "rich";

/**
 * A rich message may have 32 768 characters of text. All of its source is counted here, tags included: that is
 * never less, and some are kept free. https://core.telegram.org/bots/api#rich-message-limits
 */
export const MAX_RICH_LENGTH = 32_000;

/** Beyond 35 000 bytes the server cuts off the source without a word (TDLib's clean_input_string). */
const MAX_BYTES = 34_500;

/** A rich message may have 500 blocks, items and rows among them (same page). */
const MAX_BLOCKS = 490;

/** A table may have so many columns (same page); a wider one is shown as a card a row. */
const MAX_COLUMNS = 20;

/**
 * A rich message may be 16 levels deep (same page). Each tag is counted as one: within so many a list, a quote or
 * a table may begin. What it holds then takes three more at most, and styles and a link six.
 */
const MAX_DEPTH = 6;

/** Whether a rich message says something that text with entities cannot: a table or a formula. */
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

/** Whether a rich message of this source keeps Telegram's limits; nesting and columns are kept by `printRich`. */
export function fitsRich(html: string): boolean {
  if (html.length > MAX_RICH_LENGTH || Buffer.byteLength(html) > MAX_BYTES) return false;
  return countBlocks(html) <= MAX_BLOCKS;
}

/** An item counts twice: it holds a paragraph, whether that has a tag or not. */
function countBlocks(html: string): number {
  const tags = html.match(/<(?:p|h[r1-6]|pre|[ou]l|li|blockquote|table|tr|tg-math-block)\b/g) ?? [];
  return tags.length + tags.filter((tag) => tag === "<li").length;
}

interface Place {
  /** How many tags are open. */
  readonly depth: number;
  /** What stands before a paragraph where lists are too deep to be lists. */
  readonly indent: string;
}

/**
 * Blocks as the HTML of a rich message: the only tags in it are those written here, as all text is escaped. A block
 * with nothing in it is left out: the server refuses the whole message for it (RICH_MESSAGE_CONTENT_REQUIRED).
 */
export function printRich(blocks: readonly Block[]): string {
  return printBlocks(blocks, { depth: 0, indent: "" });
}

function printBlocks(blocks: readonly Block[], place: Place): string {
  return blocks.map((block) => printBlock(block, place)).join("");
}

function printBlock(block: Block, place: Place): string {
  switch (block.type) {
    case "paragraph":
      return printParagraph(block.spans, place.indent);
    case "heading":
      return wrap(`h${block.level}`, printRichSpans(block.spans));
    case "code":
      return printCode(block.text, block.language);
    case "quote":
      return printQuote(block, place);
    case "list":
      return place.depth > MAX_DEPTH ? printDeepList(block, place) : printList(block, place);
    case "table":
      return printTable(block, place);
    case "rule":
      return "<hr/>";
  }
}

/** A tag around something; nothing around nothing. `opening` is the tag's name and attributes. */
function wrap(opening: string, inside: string): string {
  return BLANK.test(inside) ? "" : `<${opening}>${inside}</${opening.split(" ", 1)[0]}>`;
}

const BLANK = /^(?:[\s\u00a0\u2800]|&nbsp;|<br>)*$/;

function printParagraph(spans: Cell, lead: string): string {
  const [first, ...others] = spans;
  if (first?.tex?.trim() && others.length === 0 && !lead) return printFormula(first, "tg-math-block");
  const inside = printRichSpans(spans);
  return BLANK.test(inside) ? "" : `<p>${lead}${inside}</p>`;
}

function printCode(text: string, language: string): string {
  const name = language.replace(/[^\w+#.-]/g, "");
  const code = escapeHtml(cleaned(text));
  return wrap("pre", name ? wrap(`code class="language-${name}"`, code) : code);
}

/** Folded if it is long; what is folded can hold nothing but text. */
function printQuote({ blocks }: Quote, { depth, indent }: Place): string {
  if (depth > MAX_DEPTH) return printBlocks(blocks, { depth, indent });
  const texts = blocks.map((block) => (block.type === "paragraph" ? block.spans : undefined));
  const words = texts.map((spans) => spans?.map(({ text }) => text).join("")).join("\n\n");
  if (texts.includes(undefined) || !isLongQuote(words)) {
    return wrap("blockquote", printBlocks(blocks, { depth: depth + 1, indent: "" }));
  }
  const inside = texts.map((spans) => printRichSpans(spans ?? [])).filter(Boolean);
  return wrap("blockquote expandable", inside.join("<br><br>"));
}

/** An item that began on the page before stands before the list, as it has no marker here. */
function printList({ items, start }: List, place: Place): string {
  const goesOn = items[0]?.continues ? 1 : 0;
  const rest = items.slice(goesOn);
  const first = start === undefined ? undefined : start + goesOn;
  const before = goesOn ? printBlocks(items[0]?.blocks ?? [], place) : "";
  let missing = false;
  const inside = rest.map((item, index) => {
    const value = missing && first !== undefined ? ` value="${first + index}"` : "";
    const content = printItem(item, place);
    missing = content === "";
    return content && `<li${value}>${content}</li>`;
  });
  return before + wrap(first === undefined ? "ul" : `ol start="${first}"`, inside.join(""));
}

function printItem({ blocks, checked }: ListItem, { depth }: Place): string {
  const [first, ...others] = blocks;
  const isLine = first?.type === "paragraph" && others.length === 0;
  const content = isLine
    ? printRichSpans(first.spans)
    : printBlocks(blocks, { depth: depth + 2, indent: "" });
  return BLANK.test(content) ? "" : checkbox(checked) + content;
}

function checkbox(checked: boolean | undefined): string {
  if (checked === undefined) return "";
  return `<input type="checkbox"${checked ? " checked" : ""}>`;
}

/** A list that may be no list: lines with markers, indented. */
function printDeepList({ items, start }: List, { depth, indent }: Place): string {
  const within: Place = { depth, indent: `${indent}&nbsp;&nbsp;` };
  return items
    .map(({ blocks, checked, continues }, index) => {
      const marker = start === undefined ? "• " : `${start + index}. `;
      const box = checked === undefined ? marker : checked ? "☑ " : "☐ ";
      const [first, ...others] = blocks;
      if (continues) return printBlocks(blocks, within);
      if (first?.type === "paragraph") {
        return printParagraph(first.spans, indent + box) + printBlocks(others, within);
      }
      const content = printBlocks(blocks, within);
      return content && `<p>${indent}${box.trimEnd()}</p>${content}`;
    })
    .join("");
}

function printTable(table: Table, { depth, indent }: Place): string {
  if (depth > MAX_DEPTH || columnsOf(table) > MAX_COLUMNS) {
    return tableCards(table)
      .map((lines) =>
        printParagraph(
          lines.flatMap((line, i) => (i > 0 ? [NEW_LINE, ...line] : line)),
          indent,
        ),
      )
      .join("");
  }
  const hasHead = table.head.some((cell) => cell.length > 0);
  const head = hasHead ? printRow(table.head, "th", table) : "";
  return wrap("table bordered", head + table.rows.map((row) => printRow(row, "td", table)).join(""));
}

const NEW_LINE = { text: "\n" };

function printRow(row: readonly Cell[], tag: "th" | "td", { align }: Table): string {
  const cells = Array.from({ length: Math.max(row.length, align.length) }, (_, column) => {
    const side = align[column];
    const content = printRichSpans(row[column] ?? []);
    // A cell without text would be invisible, border and all.
    return `<${tag}${side ? ` align="${side}"` : ""}>${BLANK.test(content) ? "&nbsp;" : content}</${tag}>`;
  });
  return wrap("tr", cells.join(""));
}

function rowsOf({ head, rows }: Table): readonly (readonly Cell[])[] {
  return [head, ...rows];
}

function columnsOf(table: Table): number {
  return rowsOf(table).reduce((most, row) => Math.max(most, row.length), 0);
}

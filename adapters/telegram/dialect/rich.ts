import type { Block, Cell, List, ListItem, Quote, Table } from "../../../src/text/block.ts";
import { tableCards } from "../../../src/text/dialect/table.ts";
import { cleaned } from "./clean.ts";
import { isLongQuote } from "./quote.ts";
import { columnsOf, MAX_COLUMNS } from "./rich-limits.ts";
import { escapeHtml, printFormula, printRichSpans } from "./rich-spans.ts";

/**
 * The most tags around a list, a quote or a table. Telegram allows 16 levels
 * (https://core.telegram.org/bots/api#rich-message-limits), and each tag counts as one: the block and its content need
 * at most three more, and the styles and a link six.
 */
const MAX_DEPTH = 6;

interface Context {
  /** The number of open tags. */
  readonly depth: number;
  /** The prefix of paragraphs in lists that are too deep to be printed as lists. */
  readonly indent: string;
}

/**
 * Prints blocks as the HTML of a rich message. All text is escaped, so there are no other tags than those printed here.
 * Empty blocks are left out: the server would refuse the whole message (RICH_MESSAGE_CONTENT_REQUIRED).
 */
export function printRich(blocks: readonly Block[]): string {
  return printBlocks(blocks, { depth: 0, indent: "" });
}

function printBlocks(blocks: readonly Block[], context: Context): string {
  return blocks.map((block) => printBlock(block, context)).join("");
}

function printBlock(block: Block, context: Context): string {
  switch (block.type) {
    case "paragraph":
      return printParagraph(block.spans, context.indent);
    case "heading":
      return wrap(`h${block.level}`, printRichSpans(block.spans));
    case "code":
      return printCode(block.text, block.language);
    case "quote":
      return printQuote(block, context);
    case "list":
      return context.depth > MAX_DEPTH ? printDeepList(block, context) : printList(block, context);
    case "table":
      return printTable(block, context);
    case "rule":
      return "<hr/>";
  }
}

/** Puts a tag around HTML; returns an empty string if the HTML is blank. `opening` is the tag's name and attributes. */
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

/** Prints a quote, collapsed if it is long. A collapsed quote can contain only text. */
function printQuote({ blocks }: Quote, { depth, indent }: Context): string {
  if (depth > MAX_DEPTH) return printBlocks(blocks, { depth, indent });
  const texts = blocks.map((block) => (block.type === "paragraph" ? block.spans : undefined));
  const text = texts.map((spans) => spans?.map((span) => span.text).join("")).join("\n\n");
  if (texts.includes(undefined) || !isLongQuote(text)) {
    return wrap("blockquote", printBlocks(blocks, { depth: depth + 1, indent: "" }));
  }
  const inside = texts.map((spans) => printRichSpans(spans ?? [])).filter(Boolean);
  return wrap("blockquote expandable", inside.join("<br><br>"));
}

/** Prints a list. An item that began on the previous page has no marker, so it is printed before the list. */
function printList({ items, start }: List, context: Context): string {
  const continued = items[0]?.continues ? 1 : 0;
  const rest = items.slice(continued);
  const first = start === undefined ? undefined : start + continued;
  const before = continued ? printBlocks(items[0]?.blocks ?? [], context) : "";
  let missing = false;
  const inside = rest.map((item, index) => {
    const value = missing && first !== undefined ? ` value="${first + index}"` : "";
    const content = printItem(item, context);
    missing = content === "";
    return content && `<li${value}>${content}</li>`;
  });
  return before + wrap(first === undefined ? "ul" : `ol start="${first}"`, inside.join(""));
}

function printItem({ blocks, checked }: ListItem, { depth }: Context): string {
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

/** Prints a list that is nested too deep as indented paragraphs with markers. */
function printDeepList({ items, start }: List, { depth, indent }: Context): string {
  const within: Context = { depth, indent: `${indent}&nbsp;&nbsp;` };
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

function printTable(table: Table, { depth, indent }: Context): string {
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
    // An empty cell would be invisible, including its border.
    return `<${tag}${side ? ` align="${side}"` : ""}>${BLANK.test(content) ? "&nbsp;" : content}</${tag}>`;
  });
  return wrap("tr", cells.join(""));
}

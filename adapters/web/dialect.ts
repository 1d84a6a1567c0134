import type {
  Block,
  Cell,
  Code,
  Heading,
  List,
  ListItem,
  Paragraph,
  Span,
  Style,
  Table,
} from "../../src/text/block.ts";
import type { Choice, Dialect } from "../../src/text/dialect/dialect.ts";
import { type Link, spellOutLinks } from "../../src/text/links.ts";
import { type Mark, writeSpans } from "../../src/text/dialect/nest.ts";
import { escaped } from "./escape.ts";

/** One part of an answer, as HTML. */
export interface WebBody {
  /** Safe to insert into a page: it holds only the tags and attributes that this dialect writes. */
  readonly html: string;
  /** Commands that the user may give with buttons below it. */
  readonly choices?: readonly Choice[];
}

/**
 * The longest part of an answer, in UTF-16 units of HTML. Browsers have no limit; an answer is cut into parts so that an
 * update of the last one stays small, a few packets, however long the answer is.
 */
const MAX_LENGTH = 16_384;

/** The lowest heading of HTML. The page has a heading of its own, so those of an answer begin one level below it. */
const LAST_HEADING = 6;

/**
 * Creates a dialect that writes rich text as HTML. The HTML needs no sanitizing: every tag is written here, and everything
 * that the model wrote is escaped. It contains no styles and no scripts, so that a page may forbid both; CSS classes mark
 * what needs a style.
 */
export function createWebDialect(): Dialect<WebBody> {
  return {
    limits: { length: MAX_LENGTH, unit: "utf16" },
    print: (blocks) => ({ html: printBlocks(blocks) }),
    fits: ({ html }) => html.length <= MAX_LENGTH,
    buttons: { fits: () => true, add: (body, choices) => ({ ...body, choices }) },
  };
}

function printBlocks(blocks: readonly Block[]): string {
  return blocks.map(printBlock).join("\n");
}

function printBlock(block: Block): string {
  switch (block.type) {
    case "paragraph":
      return printParagraph(block);
    case "heading":
      return printHeading(block);
    case "code":
      return printCode(block);
    case "quote":
      return `<blockquote${classes(block)}>\n${printBlocks(block.blocks)}\n</blockquote>`;
    case "list":
      return printList(block);
    case "table":
      return printTable(block);
    case "rule":
      return "<hr>";
  }
}

/** The class attribute of a block. The class `continues` marks a block that began in the part before. */
function classes({ continues }: { readonly continues?: true }, ...names: readonly string[]): string {
  const all = continues ? [...names, "continues"] : names;
  return all.length > 0 ? ` class="${all.join(" ")}"` : "";
}

/** Each block has its own direction: right to left if its first letter belongs to such a script. */
const DIRECTION = ' dir="auto"';

function printParagraph(block: Paragraph): string {
  const [first, second] = block.spans;
  const names = first?.tex !== undefined && !second ? ["formula"] : [];
  return `<p${classes(block, ...names)}${DIRECTION}>${printSpans(block.spans)}</p>`;
}

function printHeading(block: Heading): string {
  const tag = `h${Math.min(block.level + 1, LAST_HEADING)}`;
  return `<${tag}${classes(block)}${DIRECTION}>${printSpans(block.spans)}</${tag}>`;
}

const LANGUAGE = /^[a-z0-9_+\-.#]{1,40}$/i;

function printCode(block: Code): string {
  const language = LANGUAGE.test(block.language) ? ` class="language-${block.language}"` : "";
  return `<pre${classes(block)} dir="ltr"><code${language}>${escaped(block.text)}</code></pre>`;
}

function printList(list: List): string {
  const tag = list.start === undefined ? "ul" : "ol";
  const start = list.start === undefined || list.start === 1 ? "" : ` start="${list.start}"`;
  const names = list.items.some(({ checked }) => checked !== undefined) ? ["tasks"] : [];
  const items = list.items.map(printItem).join("\n");
  return `<${tag}${classes(list, ...names)}${start}${DIRECTION}>\n${items}\n</${tag}>`;
}

/** The first text of an item has no paragraph around it, so that there are no gaps between items. */
function printItem(item: ListItem): string {
  const [first, ...others] = item.blocks;
  const isText = first?.type === "paragraph";
  const text = isText ? printSpans(first.spans) : "";
  const rest = printBlocks(isText ? others : item.blocks);
  const begin = item.checked === undefined || item.continues ? text : printTask(item.checked, text);
  return `<li${classes(item)}${DIRECTION}>${[begin, rest].filter(Boolean).join("\n")}</li>`;
}

function printTask(checked: boolean, text: string): string {
  return `<label><input type="checkbox" disabled${checked ? " checked" : ""}> ${text}</label>`;
}

/** The `div` lets a wide table scroll without the page. */
function printTable(table: Table): string {
  const head = table.head.some((cell) => cell.length > 0)
    ? `<thead>\n${printRow(table, table.head, "th")}\n</thead>\n`
    : "";
  const rows = table.rows.map((row) => printRow(table, row, "td")).join("\n");
  const body = rows && `<tbody>\n${rows}\n</tbody>\n`;
  return `<div${classes(table, "table")}><table>\n${head}${body}</table></div>`;
}

function printRow({ align }: Table, cells: readonly Cell[], tag: "th" | "td"): string {
  const printed = cells.map((cell, column) => {
    const side = align[column];
    const scope = tag === "th" ? ' scope="col"' : "";
    return `<${tag}${side ? ` class="${side}"` : ""}${scope}${DIRECTION}>${printSpans(cell)}</${tag}>`;
  });
  // A row has fewer cells than the head if its author wrote no more.
  const missing = align.length - cells.length;
  if (missing > 0) printed.push(missing > 1 ? `<td colspan="${missing}"></td>` : `<td${DIRECTION}></td>`);
  return `<tr>${printed.join("")}</tr>`;
}

function printSpans(spans: readonly Span[]): string {
  const parts: string[] = [];
  writeSpans(spellOutLinks(spans, isLinkable), {
    open: (mark) => parts.push(opening(mark)),
    close: (mark) => parts.push(closing(mark)),
    text: ({ text, tex }) => {
      const shown = escaped(text).replaceAll("\n", "<br>\n");
      parts.push(
        tex === undefined ? shown : `<span class="math" dir="ltr" title="${escaped(tex)}">${shown}</span>`,
      );
    },
  });
  return parts.join("");
}

/** Other schemes could run code. Addresses are parsed as browsers parse them. */
function isLinkable({ href = "" }: Link): boolean {
  return /^(?:https?:\/\/|mailto:)/i.test(href) && URL.canParse(href);
}

const TAGS: Readonly<Record<Exclude<Style, "spoiler">, string>> = {
  bold: "strong",
  italic: "em",
  strike: "s",
  code: "code",
};

function opening(mark: Mark): string {
  if ("href" in mark)
    return `<a href="${escaped(mark.href)}" rel="noopener noreferrer nofollow" target="_blank">`;
  // `tabindex` makes it reachable with the keyboard.
  return mark.style === "spoiler" ? '<span class="spoiler" tabindex="0">' : `<${TAGS[mark.style]}>`;
}

function closing(mark: Mark): string {
  if ("href" in mark) return "</a>";
  return mark.style === "spoiler" ? "</span>" : `</${TAGS[mark.style]}>`;
}

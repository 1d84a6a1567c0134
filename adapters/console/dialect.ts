import { styleText } from "node:util";
import type { Block, Cell, List, ListItem, Span, Style, Table } from "../../src/text/block.ts";
import type { Dialect } from "../../src/text/dialect/dialect.ts";
import { type Link, spellOutLinks } from "../../src/text/links.ts";
import { alignTable, tableCards } from "../../src/text/dialect/table.ts";
import { displayWidth } from "../../src/text/dialect/width.ts";
import { type Layout, layOut, type Piece } from "./pieces.ts";

export interface ConsoleDialectOptions {
  /** Whether to use colours and styles. */
  readonly color: boolean;
  /** Whether the terminal knows links behind a text (OSC 8); otherwise addresses are written out. */
  readonly links?: boolean;
  /** The width of the terminal; without it lines are as long as they are. */
  readonly columns?: number;
  /** The most lines of one page; without it pages have any length. */
  readonly rows?: number;
}

/** Stands between two blocks, which no page may have; nothing that is printed can contain it. */
const NEXT_BLOCK = "\u001e";

/** The least that is needed for one character: a blank line, a fence, the line, a fence. */
const MIN_ROWS = 4;

/** Below this many columns nothing is wrapped any narrower, and nothing marked or indented any deeper. */
const MIN_COLUMNS = 16;

/** How wide a table may be where nobody told the width. */
const TABLE_WIDTH = 80;

/**
 * Rich text for a terminal or, without colour, for a pipe. A page is one block: what is finished stays as it
 * was printed, and only the growing block is written again. It begins with a blank line unless it continues.
 */
export function createConsoleDialect(options: ConsoleDialectOptions): Dialect<string> {
  const rows = Math.max(MIN_ROWS, options.rows ?? Number.POSITIVE_INFINITY);
  const printer: Printer = {
    color: options.color,
    links: options.links ?? false,
    columns: options.columns === undefined ? undefined : Math.max(MIN_COLUMNS, options.columns),
  };
  return {
    limits: { length: rows, unit: "lines", blocks: 1 },
    print: (blocks) =>
      blocks
        .map((block) => (block.continues ? "" : "\n") + printBlock(block, printer).join("\n"))
        .join(`\n${NEXT_BLOCK}`),
    fits: (body) => !body.includes(NEXT_BLOCK) && body.split("\n").length <= rows,
  };
}

interface Printer {
  readonly color: boolean;
  readonly links: boolean;
  readonly columns: number | undefined;
}

type Format = "bold" | "italic" | "strikethrough" | "cyan" | "dim" | "inverse" | "underline";

function printBlock(block: Block, printer: Printer): string[] {
  switch (block.type) {
    case "paragraph":
      return printSpans(block.spans, printer);
    case "heading":
      return printSpans(block.spans, printer, block.level > 2 ? ["bold"] : ["bold", "underline"]);
    case "code":
      return printCode(block.text, block.language, printer);
    case "quote":
      return printQuote(block.blocks, printer);
    case "list":
      return printList(block, printer);
    case "table":
      return printTable(block, printer);
    case "rule":
      return [dim("-".repeat(Math.min(printer.columns ?? 40, 40)), printer)];
  }
}

function printBlocks(blocks: readonly Block[], printer: Printer): string[] {
  return blocks.flatMap((block, index) => [...(index > 0 ? [""] : []), ...printBlock(block, printer)]);
}

function printQuote(blocks: readonly Block[], printer: Printer): string[] {
  const mark = fitting(printer.columns === undefined ? "> " : "│ ", printer);
  return printBlocks(blocks, narrower(printer, mark.length)).map(
    (line) => (mark && dim(mark, printer)) + line,
  );
}

function narrower(printer: Printer, by: number): Printer {
  return printer.columns === undefined ? printer : { ...printer, columns: printer.columns - by };
}

/** A mark at the beginning of lines, if it leaves room for the text. */
function fitting(mark: string, { columns }: Printer): string {
  return columns !== undefined && columns - mark.length < MIN_COLUMNS ? "" : mark;
}

const FORMATS: Readonly<Record<Style, Format>> = {
  bold: "bold",
  italic: "italic",
  strike: "strikethrough",
  code: "cyan",
  spoiler: "inverse",
};

function printSpans(spans: readonly Span[], printer: Printer, formats: Format[] = []): string[] {
  const shown = spellOutLinks(spans, (link) => printer.links && isLinkable(link));
  return lines(
    shown.map((span) => pieceOf(span, printer, formats)),
    printer,
    "words",
  );
}

function pieceOf({ text, styles = [], href }: Span, printer: Printer, formats: Format[]): Piece {
  const safe = harmless(text, printer);
  const shown = printer.color ? safe : marked(safe, styles);
  const paint = painter([...formats, ...styles.map((style) => FORMATS[style])], printer);
  return { text: shown, paint: href ? (part) => linked(paint ? paint(part) : part, href) : paint };
}

/** Without styles, what is struck out would seem to be meant, and code to be words. */
function marked(text: string, styles: readonly Style[]): string {
  if (!text.trim()) return text;
  const code = styles.includes("code") ? `\`${text}\`` : text;
  return styles.includes("strike") ? `~~${code}~~` : code;
}

function painter(formats: Format[], { color }: Printer): Piece["paint"] {
  if (!color || formats.length === 0) return undefined;
  return (text) => styleText(formats, text, { validateStream: false });
}

function dim(text: string, printer: Printer): string {
  return painter(["dim"], printer)?.(text) ?? text;
}

/** A link that shows where it leads is written out, and so is one whose text looks as if it led elsewhere. */
function isLinkable({ href = "", spans }: Link): boolean {
  return (
    /^https?:/i.test(href) && URL.canParse(href) && !spans.some(({ text }) => /https?:|www\./i.test(text))
  );
}

/** A URL has nothing but printable ASCII, as the sequence asks for. */
function linked(text: string, href: string): string {
  return `\u001B]8;;${new URL(href).href}\u001B\\${text}\u001B]8;;\u001B\\`;
}

/** Text that runs no commands of the terminal: without control characters, and those that turn the direction. */
function harmless(text: string, { columns }: Printer): string {
  const safe = HARMLESS.test(text) ? text : text.replace(HARMFUL, "");
  return columns === undefined ? safe : safe.replaceAll("\t", "    ");
}

const HARMLESS = /^[\n\t -~]*$/;

const HARMFUL = /(?![\n\t])[\p{Cc}\p{Surrogate}\u2028-\u202e\u2066-\u2069]/gu;

function lines(pieces: readonly Piece[], { columns }: Printer, at: Layout["at"]): string[] {
  return layOut(pieces, { columns, at });
}

function printCode(text: string, language: string, printer: Printer): string[] {
  const code = harmless(text, printer);
  const longest = Math.max(2, ...(code.match(/`{3,}/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(Math.min(longest + 1, MIN_COLUMNS));
  const [opening = fence] = monospaced(fence + harmless(language, printer), printer, "dim");
  return [opening, ...monospaced(code, printer, "cyan"), dim(fence, printer)];
}

/** Text whose spaces count. */
function monospaced(text: string, printer: Printer, format: Format): string[] {
  return lines([{ text, paint: painter([format], printer) }], printer, "anywhere");
}

function printList({ items, start }: List, printer: Printer): string[] {
  return items.flatMap((item, index) => {
    const marker = fitting(markerOf(item, start === undefined ? undefined : start + index), printer);
    const indent = " ".repeat(marker.length);
    const [first = "", ...rest] = printItem(item, narrower(printer, marker.length));
    return [(item.continues ? indent : marker) + first, ...rest.map((line) => (line ? indent + line : line))];
  });
}

/** Blocks of an item stand close together. */
function printItem({ blocks }: ListItem, printer: Printer): string[] {
  return blocks.flatMap((block) => printBlock(block, printer));
}

function markerOf({ checked }: ListItem, number: number | undefined): string {
  const marker = number === undefined ? "- " : `${number}. `;
  return checked === undefined ? marker : `${marker}[${checked ? "x" : " "}] `;
}

function printTable(table: Table, printer: Printer): string[] {
  const rows = alignTable(table, printer.columns ?? TABLE_WIDTH);
  if (rows) return rows.flatMap((row) => lines([{ text: harmless(row, printer) }], printer, "anywhere"));
  return tableCards({ ...table, head: table.head.map((cell) => clipped(cell, printer)) }).flatMap(
    (card, index) => [...(index > 0 ? [""] : []), ...card.flatMap((spans) => printSpans(spans, printer))],
  );
}

/** What stands before every value on a terminal must leave room for it. */
function clipped(cell: Cell, { columns }: Printer): Cell {
  const text = cell.map((span) => span.text).join("");
  return columns !== undefined && displayWidth(text) > columns
    ? [{ text: `${text.slice(0, columns / 2 - 1)}…` }]
    : cell;
}

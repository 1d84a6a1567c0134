import type { Block, Cell, List, ListItem, Span, Table } from "../../src/text/block.ts";
import type { Dialect } from "../../src/text/dialect/dialect.ts";
import { spellOutLinks } from "../../src/text/links.ts";
import { alignTable, tableCards } from "../../src/text/dialect/table.ts";
import { displayWidth } from "../../src/text/dialect/width.ts";
import { type Layout, layOut, type StyledText } from "./layout.ts";
import {
  dim,
  type Format,
  withoutControls,
  isTerminalLink,
  painter,
  type Printer,
  styledText,
} from "./styles.ts";

export interface ConsoleDialectOptions {
  /** Whether to use colours and styles. */
  readonly color: boolean;
  /** Whether the terminal supports links behind text (OSC 8); otherwise addresses are written out. */
  readonly links?: boolean;
  /** The width of the terminal; lines are not wrapped if absent. */
  readonly columns?: number;
  /** The most lines of a page; unlimited if absent. */
  readonly rows?: number;
}

/** Separates blocks, so that a body with two blocks does not fit. Printed text never contains it. */
const NEXT_BLOCK = "\u001e";

/** The fewest rows that fit one character: a blank line, a fence, the line, a fence. */
const MIN_ROWS = 4;

/** The narrowest column of text: below it, text is neither wrapped further nor marked or indented deeper. */
const MIN_COLUMNS = 16;

/** The width of tables if the terminal's width is unknown. */
const TABLE_WIDTH = 80;

/**
 * Creates the dialect of a terminal or, without colour, of a pipe. A page is one block: completed blocks stay as they
 * were printed, and only the growing one is rewritten. A block begins with a blank line unless it continues another.
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

/** The mark at the beginning of lines, or an empty string if it would not leave enough room for the text. */
function fitting(mark: string, { columns }: Printer): string {
  return columns !== undefined && columns - mark.length < MIN_COLUMNS ? "" : mark;
}

function printSpans(spans: readonly Span[], printer: Printer, formats: Format[] = []): string[] {
  const shown = spellOutLinks(spans, (link) => printer.links && isTerminalLink(link));
  return lines(
    shown.map((span) => styledText(span, printer, formats)),
    printer,
    "words",
  );
}

function lines(texts: readonly StyledText[], { columns }: Printer, at: Layout["at"]): string[] {
  return layOut(texts, { columns, at });
}

function printCode(text: string, language: string, printer: Printer): string[] {
  const code = withoutControls(text, printer);
  const longest = Math.max(2, ...(code.match(/`{3,}/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(Math.min(longest + 1, MIN_COLUMNS));
  const [opening = fence] = monospaced(fence + withoutControls(language, printer), printer, "dim");
  return [opening, ...monospaced(code, printer, "cyan"), dim(fence, printer)];
}

/** Prints text whose spaces matter. */
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

/** Prints the blocks of an item without blank lines between them. */
function printItem({ blocks }: ListItem, printer: Printer): string[] {
  return blocks.flatMap((block) => printBlock(block, printer));
}

function markerOf({ checked }: ListItem, number: number | undefined): string {
  const marker = number === undefined ? "- " : `${number}. `;
  return checked === undefined ? marker : `${marker}[${checked ? "x" : " "}] `;
}

function printTable(table: Table, printer: Printer): string[] {
  const rows = alignTable(table, printer.columns ?? TABLE_WIDTH);
  if (rows)
    return rows.flatMap((row) => lines([{ text: withoutControls(row, printer) }], printer, "anywhere"));
  return tableCards({ ...table, head: table.head.map((cell) => clipped(cell, printer)) }).flatMap(
    (card, index) => [...(index > 0 ? [""] : []), ...card.flatMap((spans) => printSpans(spans, printer))],
  );
}

/** Shortens a column's heading, which is printed before every value of a card, to leave room for the value. */
function clipped(cell: Cell, { columns }: Printer): Cell {
  const text = cell.map((span) => span.text).join("");
  return columns !== undefined && displayWidth(text) > columns
    ? [{ text: `${text.slice(0, columns / 2 - 1)}…` }]
    : cell;
}

import type { Cell, Span, Table } from "../block.ts";
import { spellOutLinks } from "../links.ts";
import { textOf } from "../spans.ts";
import { displayWidth } from "./width.ts";

const SEPARATOR = " | ";

/**
 * Formats a table as lines with aligned columns for a monospaced font; returns undefined if it is too wide. Only the
 * head and the first row decide this, so that a table does not change its form while it arrives. A later cell that is
 * too wide sticks out of its column.
 */
export function alignTable(table: Table, maxWidth: number): string[] | undefined {
  const { align, head, rows } = table;
  const natural = table.widths ?? naturalWidths(head, rows[0]);
  const total = natural.reduce((sum, width) => sum + width, SEPARATOR.length * (natural.length - 1));
  if (total > maxWidth) return undefined;
  const cells = [head, ...rows].map((row) => row.map(cellText));
  const widths = widened(
    natural,
    columnWidths(cells, () => maxWidth),
    maxWidth - total,
  );
  const lines = cells.map((row) => {
    const used = row.slice(0, row.findLastIndex((text) => text) + 1);
    const padded = used.map((text, i) => pad(text, widths[i] ?? 0, align[i]));
    return padded.join(SEPARATOR).trimEnd();
  });
  if (head.every((cell) => cell.length === 0)) return lines.slice(1);
  lines.splice(1, 0, widths.map((width) => "-".repeat(width)).join("-+-"));
  return lines;
}

/** Distributes the spare width among the columns, from left to right. */
function widened(natural: readonly number[], wanted: readonly number[], spare: number): number[] {
  let left = spare;
  return natural.map((width, column) => {
    const more = Math.max(0, Math.min(left, (wanted[column] ?? 0) - width));
    left -= more;
    return width + more;
  });
}

/** The widths of the columns, measured on the head and the first row. */
export function naturalWidths(head: readonly Cell[], first: readonly Cell[] | undefined): number[] {
  const rows = [head, ...(first ? [first] : [])];
  return columnWidths(
    rows.map((row) => row.map(cellText)),
    () => Number.POSITIVE_INFINITY,
  );
}

/** Formats a table as one card per row: a line `head: value` for each cell that is not empty. */
export function tableCards({ head, rows }: Table): Span[][][] {
  if (rows.length === 0)
    return [[head.flatMap((cell, i) => (i > 0 ? [{ text: SEPARATOR }, ...cell] : cell))]];
  const labels = head.map((cell) => (cell.length > 0 ? [...cell, { text: ": " }] : []));
  return rows
    .map((row) => row.flatMap((cell, i) => (cell.length > 0 ? [[...(labels[i] ?? []), ...cell]] : [])))
    .filter((lines) => lines.length > 0);
}

/** A cell in a monospaced font cannot hold links: their addresses are written after them. */
function cellText(cell: Cell): string {
  return textOf(spellOutLinks(cell, () => false));
}

function columnWidths(rows: readonly (readonly string[])[], cap: (column: number) => number): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, text] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, Math.min(displayWidth(text), cap(column)));
    }
  }
  return widths;
}

function pad(text: string, width: number, align: Table["align"][number]): string {
  const missing = Math.max(0, width - displayWidth(text));
  const left = align === "right" ? missing : align === "center" ? Math.floor(missing / 2) : 0;
  return " ".repeat(left) + text + " ".repeat(missing - left);
}

import type { StateBlock, StateCore, Token } from "markdown-it";
import { LONG_LINE } from "../segment.ts";

/** A block rule of markdown-it. */
export type BlockRule = (state: StateBlock, startLine: number, endLine: number, silent: boolean) => boolean;

/**
 * Whether a line can be the head of a table. A line that is long enough to be shown before it ends cannot, nor can one
 * that begins another block: markdown-it tries tables first.
 */
export function canBeHead(state: StateBlock, line: number): boolean {
  const [start, end] = [state.bMarks[line] ?? 0, state.eMarks[line] ?? 0];
  const text = state.src.slice(start + (state.tShift[line] ?? 0), end);
  return end - start <= LONG_LINE && !BEGINS.test(text) && text.split("|").length <= MAX_COLUMNS + 2;
}

/**
 * A head with more columns than this is text. markdown-it fills each row up to the columns of the head, and ends a table
 * after 65,536 such cells; the part of a text that is parsed at once never reaches that number.
 */
const MAX_COLUMNS = 32;

/** The beginning of an item, a quote, a heading or a code block. */
const BEGINS = /^(?:[-+*][ \t]|\d{1,9}[.)][ \t]|>|#{1,6}[ \t]|~{3}|`{3,}[^`]*$)/;

/** Makes the table rule create only as many cells as a line has: two characters must not become a row of 32. */
export function withoutFilling(rule: BlockRule): BlockRule {
  return (state, startLine, endLine, silent) => {
    const push = state.push.bind(state);
    const unwritten = new state.Token("", "", 0);
    let row: Token | undefined;
    let left = 0;
    state.push = (type, tag, nesting) => {
      if (type === "td_open") {
        if (row) left = maxCells(state, row.map?.[0] ?? 0);
        row = undefined;
        left -= 1;
      }
      if (left < 0 && (type === "td_open" || type === "inline" || type === "td_close")) return unwritten;
      const token = push(type, tag, nesting);
      if (type === "tr_open") row = token;
      if (type === "tr_close") left = 0;
      return token;
    };
    const found = rule(state, startLine, endLine, silent);
    state.push = push;
    return found;
  };
}

function maxCells(state: StateBlock, line: number): number {
  return state.src.slice(state.bMarks[line], state.eMarks[line]).split("|").length;
}

/**
 * markdown-it drops cells beyond those of the head, such as the ends of `a || b`: this appends them to the last cell.
 */
export function keepExcessCells(state: StateCore): void {
  let lines: string[] | undefined;
  let columns = 0;
  state.tokens.forEach((token, index) => {
    if (token.type === "table_open") columns = 0;
    if (token.type === "th_open") columns += 1;
    // Rows of the head are skipped: they define the columns, and their line may begin with the mark of an item.
    if (token.type !== "tr_close" || state.tokens[index - 1]?.type !== "td_close") return;
    const row = rowStart(state.tokens, index);
    const line = row?.map?.[0];
    const last = state.tokens[index - 2];
    if (line === undefined || last?.type !== "inline") return;
    lines ??= state.src.split("\n");
    const cells = cellsOf(lines[line] ?? "");
    if (cells.slice(columns).some((cell) => cell.trim())) {
      last.content = cells
        .slice(columns - 1)
        .join("|")
        .replaceAll("\\|", "|")
        .trim();
    }
  });
}

function rowStart(tokens: readonly Token[], end: number): Token | undefined {
  for (let i = end; i >= 0; i--) if (tokens[i]?.type === "tr_open") return tokens[i];
  return undefined;
}

function cellsOf(line: string): string[] {
  const cells = line
    .replace(/^[\s>]+/, "")
    .trimEnd()
    .split(/(?<!\\)\|/);
  if (cells[0] === "") cells.shift();
  if (cells.at(-1) === "") cells.pop();
  return cells;
}

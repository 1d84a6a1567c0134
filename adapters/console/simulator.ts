import { Writable } from "node:stream";
import { displayWidth } from "../../src/text/dialect/width.ts";

export interface ScreenOptions {
  /** Whether the program sees a terminal, and not a pipe. */
  readonly isTTY: boolean;
  readonly columns?: number;
  readonly rows?: number;
  /** Whether a line that is too long continues in the next row. */
  readonly wraps?: boolean;
}

/** A style that the console uses. */
export type ScreenStyle = "bold" | "dim" | "italic" | "underline" | "inverse" | "strike" | "cyan";

/** Adjacent characters in the same style. */
export interface Run {
  readonly text: string;
  readonly styles: readonly ScreenStyle[];
  /** The address of a link. */
  readonly href?: string;
}

/** The screen of a simulated terminal. */
export interface Screen {
  /** The stream that the program writes to. */
  readonly output: Writable & { isTTY: boolean; columns: number; rows: number };
  /** The text of the rows that are not empty. */
  lines(): string[];
  /** All rows that are remembered. */
  rows(): Run[][];
}

interface Cell {
  readonly text: string;
  readonly look: Look;
}

/** The style and the link of a cell. */
interface Look {
  readonly styles: ReadonlySet<ScreenStyle>;
  readonly href: string | undefined;
}

/** How many of the latest rows are remembered. */
const MAX_ROWS = 1000;

const PLAIN: Look = { styles: new Set(), href: undefined };

/** A control sequence, a link (OSC 8 and its like), a control character, or text. */
const TOKEN =
  /\u001B\[([?>=]?)([\d;]*)([A-Za-z])|\u001B\]([^\u0007\u001B]*)(?:\u0007|\u001B\\)|[\u0000-\u001F]|[^\u0000-\u001F]+/g;

/** A control sequence at the end of a chunk that is not complete. */
const UNFINISHED = /\u001B(?:\[[?>=]?[\d;]*|\][^\u0007\u001B]*\u001B?)?$/;

/** The styles that each parameter of "Select Graphic Rendition" (ECMA-48) turns on, and those it turns off. */
const ADDS: Readonly<Record<string, ScreenStyle>> = {
  1: "bold",
  2: "dim",
  3: "italic",
  4: "underline",
  7: "inverse",
  9: "strike",
  36: "cyan",
};
const REMOVES: Readonly<Record<string, readonly ScreenStyle[]>> = {
  22: ["bold", "dim"],
  23: ["italic"],
  24: ["underline"],
  27: ["inverse"],
  29: ["strike"],
  39: ["cyan"],
};

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Creates a terminal that supports what the console writes: cursor movements, erasures, styles and links. */
export function createScreen({
  isTTY,
  columns = 80,
  rows: height = 24,
  wraps = false,
}: ScreenOptions): Screen {
  const width = wraps ? columns : Number.POSITIVE_INFINITY;
  let rows: Cell[][] = [[]];
  let row = 0;
  let column = 0;
  let look = PLAIN;
  let rest = "";

  const output = new Writable({
    write: (chunk: Buffer, _, done) => {
      write(chunk.toString());
      done();
    },
  });

  return {
    output: Object.assign(output, { isTTY, columns, rows: height }),
    lines: () => rows.map((cells) => cells.map(({ text }) => text).join("")).filter(Boolean),
    rows: () => rows.map(runsOf),
  };

  function write(text: string): void {
    const all = rest + text;
    rest = UNFINISHED.exec(all)?.[0] ?? "";
    for (const match of all.slice(0, all.length - rest.length).matchAll(TOKEN)) apply(match);
    const excess = rows.length - MAX_ROWS;
    if (excess <= 0) return;
    rows = rows.slice(excess);
    row = Math.max(0, row - excess);
  }

  function apply([all, mark, numbers = "", letter, command]: RegExpExecArray): void {
    if (command !== undefined) return link(command);
    if (letter !== undefined) return mark ? undefined : control(letter, numbers);
    if (all === "\n") return newLine();
    if (all === "\r") column = 0;
    else if (all === "\b") column = Math.max(0, column - 1);
    else if (all === "\t") column += 8 - (column % 8);
    else if (all >= " ") for (const { segment } of graphemes.segment(all)) put(segment);
  }

  /** Moves to the beginning of the next line: a terminal adds the carriage return to a line feed. */
  function newLine(): void {
    column = 0;
    row += 1;
    rows[row] ??= [];
  }

  function put(text: string): void {
    const columnsOfText = displayWidth(text);
    if (column + columnsOfText > width) newLine();
    const cells = (rows[row] ??= []);
    while (cells.length < column) cells.push({ text: " ", look: PLAIN });
    cells[column] = { text, look };
    for (let more = 1; more < columnsOfText; more += 1) cells[column + more] = { text: "", look };
    column += columnsOfText;
  }

  function control(letter: string, numbers: string): void {
    const count = Math.max(1, Number(numbers.split(";")[0] || 1));
    if (letter === "A") row = Math.max(0, row - count);
    else if (letter === "B") for (row += count; rows.length <= row; ) rows.push([]);
    else if (letter === "C") column += count;
    else if (letter === "D") column = Math.max(0, column - count);
    else if (letter === "G") column = count - 1;
    else if (letter === "J") eraseBelow(numbers);
    else if (letter === "K") eraseLine(numbers);
    else if (letter === "m") for (const number of (numbers || "0").split(";")) style(number);
  }

  function eraseBelow(numbers: string): void {
    if (numbers === "2" || numbers === "3") {
      rows = [[]];
      row = 0;
      column = 0;
      return;
    }
    rows[row]?.splice(column);
    rows = rows.slice(0, row + 1);
  }

  function eraseLine(numbers: string): void {
    if (numbers === "2") rows[row] = [];
    else if (numbers !== "1") rows[row]?.splice(column);
  }

  function style(number: string): void {
    if (Number(number) === 0) {
      look = { ...look, styles: new Set() };
      return;
    }
    const styles = new Set(look.styles);
    const added = ADDS[number];
    if (added) styles.add(added);
    for (const removed of REMOVES[number] ?? []) styles.delete(removed);
    look = { ...look, styles };
  }

  /** OSC 8: `8;;address` begins a link, `8;;` ends it. */
  function link(command: string): void {
    const address = /^8;[^;]*;(.*)$/.exec(command)?.[1];
    if (address !== undefined) look = { ...look, href: address || undefined };
  }
}

function runsOf(cells: readonly Cell[]): Run[] {
  const runs: Run[] = [];
  for (let at = 0; at < cells.length; ) {
    const look = cells[at]?.look ?? PLAIN;
    let text = "";
    for (; at < cells.length && (cells[at]?.look ?? PLAIN) === look; at += 1) text += cells[at]?.text ?? " ";
    runs.push({ text, styles: [...look.styles], ...(look.href !== undefined && { href: look.href }) });
  }
  return runs;
}

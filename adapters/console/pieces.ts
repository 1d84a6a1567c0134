import { wrapLine } from "./wrap.ts";

/** A run of text that looks the same. */
export interface Piece {
  /** Without control characters, but for line breaks. */
  readonly text: string;
  /** Makes a part of the text, without line breaks, look as it should. */
  readonly paint?: ((text: string) => string) | undefined;
}

export interface Layout {
  /** How wide a line may be; without it lines are as long as they are. */
  readonly columns: number | undefined;
  readonly at: "words" | "anywhere";
}

/** The lines of a text, as a terminal shows them. */
export function layOut(pieces: readonly Piece[], { columns, at }: Layout): string[] {
  if (columns === undefined) return pieces.map(painted).join("").split("\n");
  return splitLines(pieces).flatMap((line) => {
    const text = line.map((piece) => piece.text).join("");
    return paintRows(line, wrapLine(text, columns, at));
  });
}

function painted({ text, paint }: Piece): string {
  return paint ? text.replace(/[^\n]+/g, (line) => paint(line)) : text;
}

function splitLines(pieces: readonly Piece[]): Piece[][] {
  const lines: Piece[][] = [[]];
  for (const { text, paint } of pieces) {
    for (const [index, part] of text.split("\n").entries()) {
      if (index > 0) lines.push([]);
      if (part) lines.at(-1)?.push({ text: part, paint });
    }
  }
  return lines;
}

/** Rows come in order, and so do pieces: each is looked at once for each row that it has a part in. */
function paintRows(pieces: readonly Piece[], rows: readonly { start: number; end: number }[]): string[] {
  let index = 0;
  let from = 0;
  return rows.map(({ start, end }) => {
    let row = "";
    for (let piece = pieces[index]; piece && from < end; piece = pieces[index]) {
      const part = piece.text.slice(Math.max(0, start - from), end - from);
      if (part) row += piece.paint ? piece.paint(part) : part;
      if (from + piece.text.length > end) break;
      from += piece.text.length;
      index += 1;
    }
    return row;
  });
}

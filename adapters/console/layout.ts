import { wrapLine } from "./wrap.ts";

/** Text in one style. */
export interface StyledText {
  /** Without control characters other than line breaks. */
  readonly text: string;
  /** Adds the escape sequences of the style to a part of the text without line breaks. */
  readonly paint?: ((text: string) => string) | undefined;
}

export interface Layout {
  /** The width of a line; lines are not wrapped if undefined. */
  readonly columns: number | undefined;
  /** Where a line may be wrapped. */
  readonly at: "words" | "anywhere";
}

/** Wraps styled texts into the rows of a terminal. */
export function layOut(texts: readonly StyledText[], { columns, at }: Layout): string[] {
  if (columns === undefined) return texts.map(painted).join("").split("\n");
  return splitLines(texts).flatMap((line) => {
    const whole = line.map(({ text }) => text).join("");
    return paintRows(line, wrapLine(whole, columns, at));
  });
}

function painted({ text, paint }: StyledText): string {
  return paint ? text.replace(/[^\n]+/g, (line) => paint(line)) : text;
}

function splitLines(texts: readonly StyledText[]): StyledText[][] {
  const lines: StyledText[][] = [[]];
  for (const { text, paint } of texts) {
    for (const [index, part] of text.split("\n").entries()) {
      if (index > 0) lines.push([]);
      if (part) lines.at(-1)?.push({ text: part, paint });
    }
  }
  return lines;
}

/** Paints the rows of a line. Both lists are in order, so each text is visited once for each row that it is part of. */
function paintRows(texts: readonly StyledText[], rows: readonly { start: number; end: number }[]): string[] {
  let index = 0;
  let from = 0;
  return rows.map(({ start, end }) => {
    let row = "";
    for (let next = texts[index]; next && from < end; next = texts[index]) {
      const part = next.text.slice(Math.max(0, start - from), end - from);
      if (part) row += next.paint ? next.paint(part) : part;
      if (from + next.text.length > end) break;
      from += next.text.length;
      index += 1;
    }
    return row;
  });
}

import type { Node } from "./markdown.ts";
import type { Container } from "./start.ts";

/** A text, and where its lines begin. */
export interface Lines {
  readonly tail: string;
  /** From `lineStarts`. */
  readonly lines: readonly number[];
}

/** A text, and the containers of a block in it, outermost first. */
interface Position extends Lines {
  readonly levels: readonly Level[];
}

/** A quote or an item that contains a line. */
export interface Level {
  readonly frame: Container;
  /** Its first line in the tail. */
  readonly line: number;
  /** The mark that this line begins with. */
  readonly opening: string;
}

/** The positions where the lines of a text begin. */
export function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** The position where a line of the tail begins. */
export function lineAt({ tail, lines }: Lines, line: number): number {
  return lines[line] ?? tail.length;
}

export function firstLine({ token }: Node): number {
  return token.map?.[0] ?? 0;
}

/** Where the text of a line begins, after the marks and the indentation of its containers. */
export function textAt(position: Position, line: number): number | undefined {
  const { tail, levels } = position;
  let at = lineAt(position, line);
  for (const { frame, line: first, opening } of levels) {
    const indent =
      frame.type === "quote" ? quoteMark(tail, at) : first === line ? opening : " ".repeat(opening.length);
    if (indent === undefined || !tail.startsWith(indent, at)) return undefined;
    at += indent.length;
    // The width of a tab depends on its column.
    if (tail[at] === "\t") return undefined;
  }
  return at;
}

/**
 * Like `textAt`, but undefined if a space follows the mark of an item: it would indent the content of the item further.
 */
export function leafAt(position: Position, line: number): number | undefined {
  const at = textAt(position, line);
  const isInItem = position.levels.at(-1)?.frame.type === "item";
  return isInItem && position.tail[at ?? 0] === " " ? undefined : at;
}

const QUOTE = / {0,3}> ?/y;

function quoteMark(tail: string, at: number): string | undefined {
  QUOTE.lastIndex = at;
  return QUOTE.exec(tail)?.[0];
}

import type { Block, Span } from "../../../src/text/block.ts";
import { cleaned } from "./escape.ts";

/** Longest title in code points: about what the list of conversations shows. */
export const MAX_TITLE = 40;

/** The title of a message: its first visible text. Never empty, as DingTalk requires. */
export function titleOf(blocks: readonly Block[]): string {
  const [line = "…"] = linesOf(blocks);
  const characters = Array.from(line);
  if (characters.length <= MAX_TITLE) return line;
  const cut = characters.slice(0, MAX_TITLE - 1).join("");
  return `${/^(.{8,})\s/su.exec(cut)?.[1]?.trimEnd() ?? cut}…`;
}

/** How much of a line to read, in UTF-16 units. */
const MAX_UNITS = 400;

function* linesOf(blocks: readonly Block[]): Generator<string> {
  for (const block of blocks) {
    switch (block.type) {
      case "paragraph":
      case "heading":
        yield* lineOf(textOf(block.spans));
        break;
      case "code":
        yield* lineOf(block.text);
        break;
      case "quote":
        yield* linesOf(block.blocks);
        break;
      case "list":
        for (const item of block.items) yield* linesOf(item.blocks);
        break;
      case "table":
        for (const cell of [block.head, ...block.rows].flat()) yield* lineOf(textOf(cell));
        break;
      case "rule":
        break;
    }
  }
}

function textOf(spans: readonly Span[]): string {
  let text = "";
  for (const span of spans) {
    if (text.length > MAX_UNITS) break;
    text += span.text.slice(0, MAX_UNITS);
  }
  return text;
}

function* lineOf(text: string): Generator<string> {
  const line = /\S[^\n]*/.exec(cleaned(text.slice(0, 2 * MAX_UNITS)))?.[0];
  if (line) yield line.trim();
}

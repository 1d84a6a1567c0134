import type { Block, Span } from "../../../src/text/block.ts";
import { cleaned } from "./escape.ts";

/** The list of conversations shows about so many characters; in code points. */
export const MAX_TITLE = 40;

/** The first words that can be seen, for where only a line of the message is shown; never empty, as DingTalk wants. */
export function titleOf(blocks: readonly Block[]): string {
  const [line = "…"] = linesOf(blocks);
  const characters = Array.from(line);
  if (characters.length <= MAX_TITLE) return line;
  const cut = characters.slice(0, MAX_TITLE - 1).join("");
  return `${/^(.{8,})\s/su.exec(cut)?.[1]?.trimEnd() ?? cut}…`;
}

/** More of a line than this, in UTF-16 units, is not looked at. */
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

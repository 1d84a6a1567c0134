import type { Block } from "./block.ts";
import { drop, sizeOf } from "./cut.ts";
import { hideMarks } from "./growing.ts";
import { cleanSource, type Node, toBlocks, toTree } from "./markdown.ts";
import { parseTokens } from "./parser.ts";
import { goOn, lineAt, placeInside, type Start } from "./resume.ts";

/** Reads a text that grows. */
export interface Reader {
  /** `text` only grows from call to call. */
  read(text: string, ended: boolean): Reading;
}

export interface Reading {
  /** What no later text can change, and was not told before; its beginning may continue what was. */
  readonly settled: readonly Block[];
  /** What follows: it may still become something else. */
  readonly growing: readonly Block[];
}

const BEGINNING: Start = { before: "", sentinel: 0, spine: [], continues: false, told: 0 };

/**
 * A reader whose answers depend on the text alone, not on the pieces it came in. A block is settled when
 * another follows; of the last block, and of the last one in that, all is settled but the last item, row,
 * line of code, or piece of a paragraph. Work is in proportion to what is not settled.
 */
export function createReader(): Reader {
  let start = BEGINNING;
  /** How much of the text was looked at, and what of it, cleaned, is not settled. */
  let seen = 0;
  let source = "";
  return {
    read: (text, ended) => {
      // A half of a pair at the end of a growing text waits for the other half.
      const end = ended || !/[\r\ud800-\udbff]$/.test(text.slice(-1)) ? text.length : text.length - 1;
      source += cleanSource(text.slice(seen, end));
      seen = end;
      if (ended) return finish();
      const known = parse(start, source.slice(0, stableEnd(source)), "settled");
      const settled = drop(known.blocks, start.told);
      advance(known);
      const { blocks } = parse(start, source, "growing");
      return { settled, growing: drop(blocks, start.told) };
    },
  };

  function finish(): Reading {
    const { blocks } = parse(start, source, "whole");
    const settled = drop(blocks, start.told);
    start = BEGINNING;
    source = "";
    return { settled, growing: [] };
  }

  /** Moves behind what is settled, as far as the parser can be brought back. */
  function advance({ tail, tree, settledChars }: Parse): void {
    const node = tree.at(-1);
    if (!node?.token.map) return;
    const isSame = tree.length === 1;
    const inside = placeInside({ tail, settledChars, node, start: isSame ? start : undefined });
    const told = sizeOf(toBlocks([node], true));
    const place = inside?.place ?? (isSame ? start.before.length : lineAt(tail, node.token.map[0]));
    source = source.slice(place - start.before.length);
    start = inside ?? (isSame ? { ...start, told } : { ...BEGINNING, told });
  }
}

interface Parse {
  /** What was parsed, with what stood before it. */
  readonly tail: string;
  readonly tree: readonly Node[];
  readonly blocks: readonly Block[];
  readonly settledChars: number;
}

function parse(start: Start, source: string, mode: "whole" | "settled" | "growing"): Parse {
  const tail = start.before + (mode === "growing" ? hideMarks(source) : source);
  const { tokens, settledChars } = parseTokens({ text: tail, mode, sentinel: start.sentinel });
  const tree = toTree(tokens);
  return { tail, tree, settledChars, blocks: goOn(toBlocks(tree, mode === "settled"), start) };
}

/** The end of what is known to be read as it is: whole lines, and a line whose kind is known. */
function stableEnd(source: string): number {
  const start = source.lastIndexOf("\n") + 1;
  const line = source.slice(start);
  const marks = line.search(DECIDED);
  // What stands behind backticks may contain one more: then it is no fence.
  return marks >= 0 && !line.slice(0, marks).includes("```") ? source.length : start;
}

/** Something that can be no part of a mark which a line begins with. */
const DECIDED = /[^\s\d#>*+\-_=~`|:.)\\$[\]]/;

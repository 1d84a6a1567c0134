import type { Steps } from "../../system/slices.ts";
import type { Block } from "../block.ts";
import { drop, join, sizeOf } from "../cut.ts";
import { hideMarks } from "./incomplete.ts";
import { cleanSource, type Node, toBlocks, toTree } from "./markdown.ts";
import { parseTokens } from "./markdown-it.ts";
import { goOn, lineAt, lineStarts, placeInCode, placeInside, type Start } from "./resume.ts";
import { isVisible } from "../visible.ts";

/** Reads a text that grows: `text` only grows from call to call. */
export interface IncrementalParser {
  /** What is settled now and was not told before; what follows is not looked at. */
  settle(text: string): Steps<readonly Block[]>;
  read(text: string, ended: boolean): Steps<Reading>;
}

export interface Reading {
  /** What no later text can change, and was not told before; its beginning may continue what was. */
  readonly settled: readonly Block[];
  /** What follows: it may still become something else. */
  readonly growing: readonly Block[];
}

const BEGINNING: Start = { before: "", sentinel: 0, spine: [], continues: false, told: 0 };

/**
 * A block of which nothing was settled within this many UTF-16 units ends there: what is not settled is parsed anew
 * whenever more arrives, and at once when the text is whole, which must not take long.
 */
const MAX_UNSETTLED = 6144;

/** A line of code longer than this, in UTF-16 units, is no fence and may be cut where a block of code must end. */
const LONG_CODE_LINE = 1000;

/**
 * A reader whose answers depend on the text alone, not on the pieces it came in. A block is settled when
 * another follows; of the last block, and of the last one in that, all is settled but the last item, row,
 * line of code, or piece of a paragraph. Work is in proportion to what is not settled.
 */
export function createIncrementalParser(): IncrementalParser {
  let start = BEGINNING;
  /** How much of the text was looked at, and what of it, cleaned, is not settled. */
  let seen = 0;
  let source = "";
  return {
    settle: (text) => append(text, false, settle),
    read: function* (text, ended) {
      if (ended) return { settled: yield* append(text, true, finish), growing: [] };
      const settled = yield* append(text, false, settle);
      yield;
      const { blocks } = yield* parse(start, source, "growing");
      return { settled, growing: drop(blocks, start.told) };
    },
  };

  /** Takes in more text, and at its end does the rest. What is not settled never has more than `MAX_UNSETTLED` units. */
  function* append(
    text: string,
    ended: boolean,
    rest: () => Steps<readonly Block[]>,
  ): Steps<readonly Block[]> {
    // A half of a pair at the end of a growing text waits for the other half.
    const end = ended || !isHalf(text, text.length) ? text.length : text.length - 1;
    let settled: readonly Block[] = [];
    while (seen < end) {
      const room = seen + MAX_UNSETTLED - source.length;
      const next = room < end && isHalf(text, room) ? room + 1 : Math.min(room, end);
      source += cleanSource(text.slice(seen, next));
      seen = next;
      if (source.length < MAX_UNSETTLED) continue;
      settled = join(settled, yield* settle());
      yield;
      if (source.length < MAX_UNSETTLED) continue;
      settled = join(settled, yield* force());
      yield;
    }
    return join(settled, yield* rest());
  }

  function* settle(): Steps<readonly Block[]> {
    const known = yield* parse(start, source.slice(0, stableEnd(source)), "settled");
    const settled = drop(known.blocks, start.told);
    advance(known);
    return settled;
  }

  function* finish(): Steps<readonly Block[]> {
    const { blocks } = yield* parse(start, source, "whole");
    const settled = drop(blocks, start.told);
    start = BEGINNING;
    source = "";
    return settled;
  }

  /** Moves behind what is settled, as far as the parser can be brought back. */
  function advance({ tail, tree, settledChars }: Parse): void {
    const node = tree.at(-1);
    if (!node?.token.map) return;
    const isSame = tree.length === 1;
    const lines = lineStarts(tail);
    const inside = placeInside({ tail, lines, settledChars, node, start: isSame ? start : undefined });
    const told = sizeOf(toBlocks([node], true));
    const place =
      inside?.place ?? (isSame ? start.before.length : lineAt({ tail, lines }, node.token.map[0]));
    source = source.slice(place - start.before.length);
    start = inside ?? (isSame ? { ...start, told } : { ...BEGINNING, told });
  }

  /** Settles what would not be by itself. A block of code goes on behind that; any other block begins anew. */
  function* force(): Steps<readonly Block[]> {
    const end = endOfCode(source);
    const code = yield* codeAt(start, source.slice(0, end));
    const length = code ? end : endOfWords(source);
    yield;
    const { blocks } = yield* parse(start, source.slice(0, length), "whole");
    const settled = drop(blocks, start.told);
    source = source.slice(length);
    start = code ?? BEGINNING;
    return settled;
  }
}

/** Whether a place lies between the two halves of a surrogate pair, or of a line break. */
function isHalf(text: string, place: number): boolean {
  return /[\r\ud800-\udbff]/.test(text.charAt(place - 1));
}

/** Behind a long line, or before the break at the end of the line before a short one: that may become a fence. */
function endOfCode(source: string): number {
  const lineBreak = source.lastIndexOf("\n");
  return source.length - lineBreak > LONG_CODE_LINE ? source.length : lineBreak;
}

/** Where the last line ends, or the last word if there is only one line. */
function endOfWords(source: string): number {
  const end = Math.max(source.lastIndexOf("\n"), source.includes("\n") ? 0 : source.lastIndexOf(" ")) + 1;
  return end > 0 ? end : source.length;
}

/** How to go on behind a text that ends in an open block of code; undefined if it does not. */
function* codeAt(start: Start, source: string): Steps<Start | undefined> {
  const { tail, tree } = yield* parse(start, source, "whole");
  const node = tree.at(-1);
  if (!node) return undefined;
  return placeInCode({
    tail,
    lines: lineStarts(tail),
    settledChars: 0,
    node,
    start: tree.length === 1 ? start : undefined,
  });
}

interface Parse {
  /** What was parsed, with what stood before it. */
  readonly tail: string;
  readonly tree: readonly Node[];
  readonly blocks: readonly Block[];
  readonly settledChars: number;
}

function* parse(start: Start, source: string, mode: "whole" | "settled" | "growing"): Steps<Parse> {
  const tail = start.before + (mode === "growing" ? hideMarks(source) : source);
  const { tokens, settledChars } = parseTokens({ text: tail, mode, sentinel: start.sentinel });
  yield;
  const tree = toTree(tokens);
  const shown = tree.filter((node, index) => !isBlank(node) || mayGoOn(index));
  return { tail, tree, settledChars, blocks: goOn(toBlocks(shown, mode === "settled"), start) };

  function mayGoOn(index: number): boolean {
    const isGoingOn = start.told > 0 || start.continues || start.spine.length > 0;
    return (index === 0 && isGoingOn) || index === tree.length - 1;
  }
}

/** A paragraph with more UTF-16 units than this is taken for one that can be seen. */
const MAX_BLANK = 100;

/** Whether nothing can be seen of a paragraph, such as one of `&nbsp;`: as it takes no room, no page would ever be full. */
function isBlank(node: Node): boolean {
  const [inline] = node.children;
  const length = inline?.token.type === "inline" ? inline.token.content.length : 0;
  return node.token.type === "paragraph_open" && length <= MAX_BLANK && !isVisible(toBlocks([node], false));
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

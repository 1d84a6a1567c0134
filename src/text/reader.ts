import type { Block } from "./block.ts";
import { drop, sizeOf } from "./cut.ts";
import { hideMarks } from "./growing.ts";
import { cleanSource, type Node, toBlocks, toTree } from "./markdown.ts";
import { parseTokens } from "./parser.ts";
import { LONG_LINE } from "./segment.ts";

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

/**
 * Where reading goes on. All that stands before is settled and is never parsed again; where that is in the
 * middle of a block, `before` is source that brings the parser back into it.
 */
interface Start {
  readonly offset: number;
  readonly before: string;
  /** The first block continues. */
  readonly continues: boolean;
  /** The number of the first item, if the first block is an ordered list. */
  readonly number?: number | undefined;
  /** The widths of its columns, if the first block is a table. */
  readonly widths?: readonly number[] | undefined;
  /** How many units from here on have been told already. */
  readonly told: number;
}

/** Stands for the part of a paragraph that was read: its line is long, or the reading goes on in a new line. */
const MID_LINE = "x".repeat(LONG_LINE + 1);
const NEW_LINE = "x\n";

/**
 * A reader whose answers depend on the text alone, not on the pieces it came in. A block is settled when
 * another follows; of the last block, and of the last one in that, all is settled but the last item, row,
 * line of code, or piece of a paragraph. Work is in proportion to what is not settled.
 */
export function createReader(): Reader {
  let start: Start = { offset: 0, before: "", continues: false, told: 0 };
  return {
    read: (text, ended) => {
      const source = sourceOf(text, ended);
      if (ended) {
        const { blocks } = parse(start, source, "whole");
        const settled = drop(blocks, start.told);
        start = { offset: source.length, before: "", continues: false, told: 0 };
        return { settled, growing: [] };
      }
      const known = parse(start, source.slice(0, stableEnd(source, start.offset)), "settled");
      const settled = drop(known.blocks, start.told);
      start = advance(start, known);
      const { blocks } = parse(start, source, "growing");
      return { settled, growing: drop(blocks, start.told) };
    },
  };
}

/** A half of a pair at the end of a growing text waits for the other half. */
function sourceOf(text: string, ended: boolean): string {
  return cleanSource(ended ? text : text.replace(/[\r\ud800-\udbff]$/, ""));
}

interface Parse {
  /** What was parsed, with what stood before it. */
  readonly tail: string;
  readonly tree: readonly Node[];
  readonly blocks: readonly Block[];
  readonly settledChars: number;
}

function parse(start: Start, source: string, mode: "whole" | "settled" | "growing"): Parse {
  const sentinel = isSentinel(start.before) ? start.before.length : 0;
  const rest = source.slice(start.offset);
  const tail = start.before + (mode === "growing" ? hideMarks(rest) : rest);
  const { tokens, settledChars } = parseTokens({ text: tail, mode, sentinel });
  const tree = toTree(tokens);
  const [first, ...others] = toBlocks(tree, mode === "settled");
  if (!first) return { tail, tree, settledChars, blocks: [] };
  return { tail, tree, settledChars, blocks: [start.continues ? goOn(first, start) : first, ...others] };
}

function isSentinel(before: string): boolean {
  return before === MID_LINE || before === NEW_LINE;
}

function goOn(block: Block, { number, widths }: Start): Block {
  if (block.type === "list" && number !== undefined) return { ...block, start: number, continues: true };
  if (block.type === "table" && widths) return { ...block, widths, continues: true };
  return { ...block, continues: true };
}

/** The end of what is known to be read as it is: whole lines, and a line whose kind is known. */
function stableEnd(source: string, from: number): number {
  const start = Math.max(from, source.lastIndexOf("\n") + 1);
  const line = source.slice(start);
  return DECIDED.test(line) && !line.includes("```") ? source.length : start;
}

/** Something that can be no part of a mark which a line begins with. */
const DECIDED = /[^\s\d#>*+\-_=~`|:.)\\$[\]]/;

/** Moves behind what is settled, as far as the parser can be brought back. */
function advance(start: Start, known: Parse): Start {
  const node = known.tree.at(-1);
  if (!node?.token.map) return start;
  const line = lineAt(known.tail, node.token.map[0]);
  const isSame = known.tree.length === 1;
  const here = isSame ? start : goTo(start, { place: line, before: "", continues: false });
  const [settled] = toBlocks([node], true);
  const told = settled ? sizeOf([settled]) : 0;
  const block: OpenBlock = { ...known, start, node, first: node.token.map[0], settled };
  return inside(block, isSame ? start : undefined) ?? { ...here, told };
}

/** The last block, which more may be added to. */
interface OpenBlock extends Parse {
  readonly start: Start;
  readonly node: Node;
  /** Its first line in the tail. */
  readonly first: number;
  readonly settled: Block | undefined;
}

/** A place in the open block, if enough of it is settled; `same` if reading went on in it before. */
function inside(block: OpenBlock, same: Start | undefined): Start | undefined {
  switch (block.node.token.type) {
    case "bullet_list_open":
    case "ordered_list_open":
      return insideList(block, same?.number);
    case "fence":
      return insideCode(block);
    case "table_open":
      return insideTable(block, same?.widths);
    case "paragraph_open":
      return insideParagraph(block);
    default:
      return undefined;
  }
}

function insideList(
  { start, tail, node, settled }: OpenBlock,
  number: number | undefined,
): Start | undefined {
  const item = node.children.at(-1)?.token.map;
  if (node.children.length < 2 || !item || settled?.type !== "list") return undefined;
  const isTold = settled.items.length === node.children.length;
  const told = isTold ? sizeOf(settled.items.at(-1)?.blocks ?? []) : 0;
  const firstNumber = number ?? settled.start;
  const next = goTo(start, { place: lineAt(tail, item[0]), before: "", continues: true });
  return {
    ...next,
    told,
    number: firstNumber === undefined ? undefined : firstNumber + node.children.length - 1,
  };
}

function insideCode({ start, tail, node, first }: OpenBlock): Start | undefined {
  const { content, map } = node.token;
  const lines = content === "" ? 0 : content.replace(/\n$/, "").split("\n").length;
  const isClosed = (map?.[1] ?? 0) - first - 1 !== lines;
  if (isClosed || lines < 2) return undefined;
  const before = tail.slice(lineAt(tail, first), lineAt(tail, first + 1));
  return goTo(start, { place: lineAt(tail, first + lines), before, continues: true });
}

function insideTable(block: OpenBlock, widths: Start["widths"]): Start | undefined {
  const { start, tail, node, first, settled } = block;
  const rows = node.children[1]?.children ?? [];
  const row = rows.at(-1)?.token.map;
  if (rows.length < 2 || !row || settled?.type !== "table") return undefined;
  // A long head has become the first row, and must not become one again.
  if (settled.head.every((cell) => cell.length === 0)) return undefined;
  const before = tail.slice(lineAt(tail, first), lineAt(tail, first + 2));
  const next = goTo(start, { place: lineAt(tail, row[0]), before, continues: true });
  return { ...next, widths: widths ?? settled.widths };
}

function insideParagraph({ start, tail, first, settledChars }: OpenBlock): Start | undefined {
  if (settledChars === 0) return undefined;
  const line = lineAt(tail, first);
  const begin =
    first === 0 && isSentinel(start.before) ? start.before.length : tail.slice(line).search(/\S/) + line;
  const place = begin + settledChars;
  return goTo(start, { place, before: tail[place - 1] === "\n" ? NEW_LINE : MID_LINE, continues: true });
}

interface Destination {
  /** In the tail. */
  readonly place: number;
  readonly before: string;
  readonly continues: boolean;
}

function goTo(start: Start, { place, before, continues }: Destination): Start {
  return { offset: start.offset + place - start.before.length, before, continues, told: 0 };
}

/** Where a line of the text begins. */
function lineAt(text: string, line: number): number {
  let at = 0;
  for (let i = 0; i < line; i++) at = text.indexOf("\n", at) + 1;
  return at;
}

import type { Block, ListItem } from "../block.ts";
import { sizeOf } from "../cut.ts";
import { type Node, toBlocks } from "./markdown.ts";
import { LONG_LINE } from "./segment.ts";

/**
 * Where reading goes on. All that stands before is settled and is never parsed again; where that is in the
 * middle of a block, `before` is source that brings the parser back into it.
 */
export interface Start {
  readonly before: string;
  /** So many characters of the first text are there only to say that a paragraph goes on. */
  readonly sentinel: number;
  /** What the first block is in, from the outermost on; all of it continues. */
  readonly spine: readonly Frame[];
  /** The first block itself continues. */
  readonly continues: boolean;
  /** The widths of its columns, if the first block is a table that continues. */
  readonly widths?: readonly number[] | undefined;
  /** How many units from here on have been told already. */
  readonly told: number;
}

/** A quote, a list whose next item follows, or an item of a list. */
export interface Frame {
  readonly type: "quote" | "list" | "item";
  /** Of the next item, or of this one, in an ordered list. */
  readonly number?: number | undefined;
}

/** A start with its place in the text that was parsed. */
export interface Place extends Start {
  readonly place: number;
}

/** The last block of a text, to which more may be added. */
export interface OpenBlock {
  readonly tail: string;
  /** Where its lines begin, by `lineStarts`. */
  readonly lines: readonly number[];
  /** How many characters of the paragraph at its end are settled. */
  readonly settledChars: number;
  readonly node: Node;
  /** Where the reading began, if that was in this block. */
  readonly start: Start | undefined;
}

/** Says of the first blocks that they continue what was read before. */
export function goOn(blocks: readonly Block[], start: Start): readonly Block[] {
  const [first, ...others] = blocks;
  const [frame, ...spine] = start.spine;
  if (!first || (!frame && !start.continues)) return blocks;
  const within = { ...start, spine };
  if (first.type === "quote" && frame?.type === "quote") {
    return [{ ...first, continues: true, blocks: goOn(first.blocks, within) }, ...others];
  }
  if (first.type === "list" && frame) {
    const number = frame.number === undefined ? {} : { start: frame.number };
    const items = frame.type === "item" ? goOnItem(first.items, within) : first.items;
    return [{ ...first, ...number, continues: true, items }, ...others];
  }
  if (first.type === "table" && start.widths) {
    return [{ ...first, widths: start.widths, continues: true }, ...others];
  }
  return [{ ...first, continues: true }, ...others];
}

function goOnItem([item, ...others]: readonly ListItem[], start: Start): readonly ListItem[] {
  return item ? [{ ...item, continues: true, blocks: goOn(item.blocks, start) }, ...others] : others;
}

/** A quote or an item that a line is in. */
interface Level {
  readonly frame: Frame;
  /** Its first line in the tail. */
  readonly line: number;
  /** What that line begins with. */
  readonly opening: string;
}

/** Where we are on the way into the last block. */
interface Way extends Omit<OpenBlock, "start"> {
  /** Only the end of a block of code is looked for. */
  readonly inCode?: true;
  readonly levels: readonly Level[];
  readonly start: Start | undefined;
  /** Of the frames that the reading began in, those that have not been met. */
  readonly spine: readonly Frame[];
}

/** The furthest place in the last block at which all before is settled; undefined if there is none. */
export function placeInside(block: OpenBlock): Place | undefined {
  return inside({ ...block, levels: [], spine: block.start?.spine ?? [] });
}

/** The end of the text, if that is in an open block of code. */
export function placeInCode(block: OpenBlock): Place | undefined {
  return inside({ ...block, levels: [], spine: block.start?.spine ?? [], inCode: true });
}

function inside(way: Way): Place | undefined {
  switch (way.node.token.type) {
    case "blockquote_open":
      return insideQuote(way);
    case "bullet_list_open":
    case "ordered_list_open":
      return insideList(way);
    case "fence":
      return insideCode(way);
    case "table_open":
      return way.inCode ? undefined : insideTable(way);
    case "paragraph_open":
      return way.inCode ? undefined : insideParagraph(way);
    default:
      return undefined;
  }
}

function insideQuote(way: Way): Place | undefined {
  const level: Level = { frame: { type: "quote" }, line: firstLine(way.node), opening: "> " };
  return insideLast(way.node.children, { ...way, levels: [...way.levels, level], spine: way.spine.slice(1) });
}

/** In the last of several blocks, or before it. */
function insideLast(children: readonly Node[], way: Way): Place | undefined {
  const last = children.at(-1);
  if (!last?.token.map) return undefined;
  const start = children.length === 1 ? way.start : undefined;
  const found = inside({ ...way, node: last, start });
  if (found || children.length === 1 || way.inCode) return found;
  const place = textAt(way, firstLine(last));
  if (place === undefined || !isPlain(way.tail.slice(place))) return undefined;
  return { ...comeBack(way, place), told: sizeOf(toBlocks([last], true)) };
}

/** Whether a text means the same behind the mark of an item as it does in a line of its own. */
function isPlain(text: string): boolean {
  return !/^(?:\s|\[[ xX]\]\s|[-*_ \t]*(?:\n|$))/.test(text);
}

function insideList(way: Way): Place | undefined {
  const { children, token } = way.node;
  const last = children.at(-1);
  if (!last?.token.map) return undefined;
  const first = way.start && way.spine[0] ? way.spine[0].number : Number(token.attrGet("start") ?? 1);
  const isOrdered = token.type === "ordered_list_open";
  const number = isOrdered && first !== undefined ? first + children.length - 1 : undefined;
  const start = children.length === 1 ? way.start : undefined;
  return (
    insideItem({ ...way, node: last, start }, number) ??
    (children.length > 1 && !way.inCode ? itemPlace(way, number) : undefined)
  );
}

const MARKER = /( {0,3})(?:[-+*]|\d{1,9}[.)]) {1,4}(?=\S)/y;

function insideItem(way: Way, number: number | undefined): Place | undefined {
  const line = firstLine(way.node);
  MARKER.lastIndex = leafAt(way, line) ?? way.tail.length;
  const opening = MARKER.exec(way.tail)?.[0];
  if (!opening) return undefined;
  const level: Level = { frame: { type: "item", number }, line, opening };
  return insideLast(way.node.children, { ...way, levels: [...way.levels, level], spine: way.spine.slice(1) });
}

/** Before the last item. */
function itemPlace(way: Way, number: number | undefined): Place | undefined {
  const last = way.node.children.at(-1);
  const place = last && leafAt(way, firstLine(last));
  if (place === undefined) return undefined;
  const [settled] = toBlocks([way.node], true);
  const items = settled?.type === "list" ? settled.items : [];
  const told = items.length === way.node.children.length ? sizeOf(items.at(-1)?.blocks ?? []) : 0;
  const back = comeBack(way, place);
  // Marks behind marks would be a rule.
  if (back.before && /^[-*_ \t]*(?:\n|$)/.test(way.tail.slice(place))) return undefined;
  return { ...back, spine: [...back.spine, { type: "list", number }], told };
}

function insideCode(way: Way): Place | undefined {
  const { content, map } = way.node.token;
  const first = firstLine(way.node);
  const lines = content === "" ? 0 : content.replace(/\n$/, "").split("\n").length;
  const isClosed = (map?.[1] ?? 0) - first - 1 !== lines;
  const fence = leafAt(way, first);
  if (isClosed || lines < (way.inCode ? 1 : 2) || fence === undefined) return undefined;
  const before = way.tail.slice(fence, lineAt(way, first + 1));
  if (way.inCode) return endOfCode(way, before, first + lines);
  return { ...comeBack(way, lineAt(way, first + lines), before), continues: true };
}

/** The last line goes on: it stands in all that its beginning stood in. */
function endOfCode(way: Way, fence: string, line: number): Place | undefined {
  const text = textAt(way, line);
  if (text === undefined) return undefined;
  const before = fence + way.tail.slice(lineAt(way, line), text);
  return { ...comeBack(way, way.tail.length, before), continues: true };
}

function insideTable(way: Way): Place | undefined {
  const { tail, node, start } = way;
  const rows = node.children[1]?.children ?? [];
  const row = rows.at(-1)?.token.map;
  const [settled] = toBlocks([node], true);
  const head = leafAt(way, firstLine(node));
  if (rows.length < 2 || !row || settled?.type !== "table" || head === undefined) return undefined;
  // A long head has become the first row, and must not become one again.
  if (settled.head.every((cell) => cell.length === 0)) return undefined;
  const before = tail.slice(head, lineAt(way, firstLine(node) + 2));
  const widths = start?.widths ?? settled.widths;
  return { ...comeBack(way, lineAt(way, row[0]), before), continues: true, widths };
}

/** Stands for the part of a paragraph that was read: its line is long, or the reading goes on in a new line. */
const MID_LINE = "x".repeat(LONG_LINE + 1);
const NEW_LINE = "x\n";

function insideParagraph(way: Way): Place | undefined {
  const place = way.settledChars > 0 ? placeOf(way) : undefined;
  if (place === undefined) return undefined;
  const before = way.tail[place - 1] === "\n" ? NEW_LINE : MID_LINE;
  return { ...comeBack(way, place, before), continues: true, sentinel: before.length };
}

/** Where the settled part of a paragraph ends in the tail: its text is that of its lines without their marks. */
function placeOf(way: Way): number | undefined {
  const { tail, node, start } = way;
  const isMidLine = start?.sentinel === MID_LINE.length;
  let line = firstLine(node) + (start?.sentinel === NEW_LINE.length ? 1 : 0);
  let at = isMidLine ? start.before.length : textAt(way, line);
  if (at !== undefined && !start?.sentinel) at += tail.slice(at).search(/\S/);
  for (let left = way.settledChars; at !== undefined; at = textAt(way, line)) {
    const end = tail.indexOf("\n", at);
    if (end < 0 || left <= end - at) return at + left;
    left -= end - at + 1;
    line += 1;
    if (left === 0) return end + 1;
  }
  return undefined;
}

/** A start at this place, with the source that opens what it is in; `leaf` opens the innermost block. */
function comeBack({ levels }: Way, place: number, leaf = ""): Place {
  const before = levels.map(({ opening }) => opening).join("") + leaf;
  return { place, before, sentinel: 0, spine: levels.map(({ frame }) => frame), continues: false, told: 0 };
}

function firstLine({ token }: Node): number {
  return token.map?.[0] ?? 0;
}

/** Where the text of a line begins, behind the marks and the indentation of all that it is in. */
function textAt(way: Way, line: number): number | undefined {
  const { tail, levels } = way;
  let at = lineAt(way, line);
  for (const { frame, line: first, opening } of levels) {
    const indent =
      frame.type === "quote" ? quoteMark(tail, at) : first === line ? opening : " ".repeat(opening.length);
    if (indent === undefined || !tail.startsWith(indent, at)) return undefined;
    at += indent.length;
    // How wide a tab is depends on where it stands.
    if (tail[at] === "\t") return undefined;
  }
  return at;
}

/** As `textAt`, but behind the mark of an item a space more would mean that the item is indented further. */
function leafAt(way: Way, line: number): number | undefined {
  const at = textAt(way, line);
  const isInItem = way.levels.at(-1)?.frame.type === "item";
  return isInItem && way.tail[at ?? 0] === " " ? undefined : at;
}

const QUOTE = / {0,3}> ?/y;

function quoteMark(tail: string, at: number): string | undefined {
  QUOTE.lastIndex = at;
  return QUOTE.exec(tail)?.[0];
}

/** Where the lines of a text begin. */
export function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** Where a line of the text begins. */
export function lineAt({ tail, lines }: Pick<OpenBlock, "tail" | "lines">, line: number): number {
  return lines[line] ?? tail.length;
}

import { sizeOf } from "../size.ts";
import { type Node, toBlocks } from "./markdown.ts";
import { firstLine, leafAt, type Level, lineAt, type Lines, textAt } from "./lines.ts";
import { LONG_LINE } from "./segment.ts";
import type { Container, Start } from "./start.ts";

/** A start, with its position in the text that was parsed. */
export interface ResumePoint extends Start {
  readonly position: number;
}

/** The last block of a text, to which more text may be added. */
export interface OpenBlock extends Lines {
  /** How many characters of the paragraph at the end are settled. */
  readonly settledChars: number;
  readonly node: Node;
  /** Where parsing began, if that was in this block. */
  readonly start: Start | undefined;
}

/** A position on the way into the last block. */
interface Path extends Omit<OpenBlock, "start"> {
  /** Search only for the end of a code block. */
  readonly inCode?: true;
  readonly levels: readonly Level[];
  readonly start: Start | undefined;
  /** The frames in which parsing began and that were not entered yet. */
  readonly spine: readonly Container[];
}

/** The last position in a block before which all text is settled; undefined if there is none. */
export function resumeInside(block: OpenBlock): ResumePoint | undefined {
  return inside({ ...block, levels: [], spine: block.start?.spine ?? [] });
}

/** The end of the text, if it is inside an open code block. */
export function resumeInCode(block: OpenBlock): ResumePoint | undefined {
  return inside({ ...block, levels: [], spine: block.start?.spine ?? [], inCode: true });
}

function inside(path: Path): ResumePoint | undefined {
  switch (path.node.token.type) {
    case "blockquote_open":
      return insideQuote(path);
    case "bullet_list_open":
    case "ordered_list_open":
      return insideList(path);
    case "fence":
      return insideCode(path);
    case "table_open":
      return path.inCode ? undefined : insideTable(path);
    case "paragraph_open":
      return path.inCode ? undefined : insideParagraph(path);
    default:
      return undefined;
  }
}

function insideQuote(path: Path): ResumePoint | undefined {
  const level: Level = { frame: { type: "quote" }, line: firstLine(path.node), opening: "> " };
  return insideLast(path.node.children, {
    ...path,
    levels: [...path.levels, level],
    spine: path.spine.slice(1),
  });
}

/** A position in the last of several blocks, or before it. */
function insideLast(children: readonly Node[], path: Path): ResumePoint | undefined {
  const last = children.at(-1);
  if (!last?.token.map) return undefined;
  const start = children.length === 1 ? path.start : undefined;
  const found = inside({ ...path, node: last, start });
  if (found || children.length === 1 || path.inCode) return found;
  const position = textAt(path, firstLine(last));
  if (position === undefined || !isPlain(path.tail.slice(position))) return undefined;
  return { ...resumeAt(path, position), emitted: sizeOf(toBlocks([last], true)) };
}

/** Whether a text means the same after the mark of an item as on a line of its own. */
function isPlain(text: string): boolean {
  return !/^(?:\s|\[[ xX]\]\s|[-*_ \t]*(?:\n|$))/.test(text);
}

function insideList(path: Path): ResumePoint | undefined {
  const { children, token } = path.node;
  const last = children.at(-1);
  if (!last?.token.map) return undefined;
  const first = path.start && path.spine[0] ? path.spine[0].number : Number(token.attrGet("start") ?? 1);
  const isOrdered = token.type === "ordered_list_open";
  const number = isOrdered && first !== undefined ? first + children.length - 1 : undefined;
  const start = children.length === 1 ? path.start : undefined;
  return (
    insideItem({ ...path, node: last, start }, number) ??
    (children.length > 1 && !path.inCode ? betweenItems(path, number) : undefined)
  );
}

const MARKER = /( {0,3})(?:[-+*]|\d{1,9}[.)]) {1,4}(?=\S)/y;

function insideItem(path: Path, number: number | undefined): ResumePoint | undefined {
  const line = firstLine(path.node);
  MARKER.lastIndex = leafAt(path, line) ?? path.tail.length;
  const opening = MARKER.exec(path.tail)?.[0];
  if (!opening) return undefined;
  const level: Level = { frame: { type: "item", number }, line, opening };
  return insideLast(path.node.children, {
    ...path,
    levels: [...path.levels, level],
    spine: path.spine.slice(1),
  });
}

/** The position before the last item. */
function betweenItems(path: Path, number: number | undefined): ResumePoint | undefined {
  const last = path.node.children.at(-1);
  const position = last && leafAt(path, firstLine(last));
  if (position === undefined) return undefined;
  const [settled] = toBlocks([path.node], true);
  const items = settled?.type === "list" ? settled.items : [];
  const emitted = items.length === path.node.children.length ? sizeOf(items.at(-1)?.blocks ?? []) : 0;
  const point = resumeAt(path, position);
  // A mark after other marks could be parsed as a rule.
  if (point.before && /^[-*_ \t]*(?:\n|$)/.test(path.tail.slice(position))) return undefined;
  return { ...point, spine: [...point.spine, { type: "list", number }], emitted };
}

function insideCode(path: Path): ResumePoint | undefined {
  const { content, map } = path.node.token;
  const first = firstLine(path.node);
  const lines = content === "" ? 0 : content.replace(/\n$/, "").split("\n").length;
  const isClosed = (map?.[1] ?? 0) - first - 1 !== lines;
  const fence = leafAt(path, first);
  if (isClosed || lines < (path.inCode ? 1 : 2) || fence === undefined) return undefined;
  const before = path.tail.slice(fence, lineAt(path, first + 1));
  if (path.inCode) return endOfCode(path, before, first + lines);
  return { ...resumeAt(path, lineAt(path, first + lines), before), continues: true };
}

/** The end of a last line that continues: `before` repeats the marks of all its containers. */
function endOfCode(path: Path, fence: string, line: number): ResumePoint | undefined {
  const text = textAt(path, line);
  if (text === undefined) return undefined;
  const before = fence + path.tail.slice(lineAt(path, line), text);
  return { ...resumeAt(path, path.tail.length, before), continues: true };
}

function insideTable(path: Path): ResumePoint | undefined {
  const { tail, node, start } = path;
  const rows = node.children[1]?.children ?? [];
  const row = rows.at(-1)?.token.map;
  const [settled] = toBlocks([node], true);
  const head = leafAt(path, firstLine(node));
  if (rows.length < 2 || !row || settled?.type !== "table" || head === undefined) return undefined;
  // A long head has become the first row and must not become one again.
  if (settled.head.every((cell) => cell.length === 0)) return undefined;
  const before = tail.slice(head, lineAt(path, firstLine(node) + 2));
  const widths = start?.widths ?? settled.widths;
  return { ...resumeAt(path, lineAt(path, row[0]), before), continues: true, widths };
}

/** Placeholders for the part of a paragraph that is settled: parsing resumes within a long line, or on a new line. */
const MID_LINE = "x".repeat(LONG_LINE + 1);
const NEW_LINE = "x\n";

function insideParagraph(path: Path): ResumePoint | undefined {
  const position = path.settledChars > 0 ? settledEnd(path) : undefined;
  if (position === undefined) return undefined;
  const before = path.tail[position - 1] === "\n" ? NEW_LINE : MID_LINE;
  return { ...resumeAt(path, position, before), continues: true, sentinel: before.length };
}

/** The end of the settled part of a paragraph in the tail, where its lines begin with the marks of their containers. */
function settledEnd(path: Path): number | undefined {
  const { tail, node, start } = path;
  const isMidLine = start?.sentinel === MID_LINE.length;
  let line = firstLine(node) + (start?.sentinel === NEW_LINE.length ? 1 : 0);
  let at = isMidLine ? start.before.length : textAt(path, line);
  if (at !== undefined && !start?.sentinel) at += tail.slice(at).search(/\S/);
  for (let left = path.settledChars; at !== undefined; at = textAt(path, line)) {
    const end = tail.indexOf("\n", at);
    if (end < 0 || left <= end - at) return at + left;
    left -= end - at + 1;
    line += 1;
    if (left === 0) return end + 1;
  }
  return undefined;
}

/** A start at this position, with source that reopens its containers; `leaf` reopens the innermost block. */
function resumeAt({ levels }: Path, position: number, leaf = ""): ResumePoint {
  const before = levels.map(({ opening }) => opening).join("") + leaf;
  return {
    position,
    before,
    sentinel: 0,
    spine: levels.map(({ frame }) => frame),
    continues: false,
    emitted: 0,
  };
}

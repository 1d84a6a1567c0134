import type { Token } from "markdown-it";
import type { Block, List, ListItem, Table } from "./block.ts";
import { parseTokens } from "./parser.ts";
import { textOf, toSpans } from "./spans.ts";
import { naturalWidths } from "./table.ts";

/**
 * Markdown (CommonMark with tables, strikethrough, task lists, bare links and `||spoilers||`) as blocks.
 * Raw HTML and LaTeX are text. Underlined headings and link reference definitions are text too: they would
 * let later lines change what earlier ones mean.
 */
export function parseMarkdown(text: string): Block[] {
  return toBlocks(toTree(parseTokens({ text: cleanSource(text), mode: "whole" }).tokens), false);
}

/** Unpaired surrogates become the replacement character: platforms refuse them. Lengths stay. */
export function cleanSource(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/\p{Surrogate}/gu, "\uFFFD");
}

/** A token and what it contains. */
export interface Node {
  readonly token: Token;
  readonly children: readonly Node[];
}

/** Nests the flat tokens of markdown-it. */
export function toTree(tokens: readonly Token[]): Node[] {
  const stack: Node[][] = [[]];
  for (const token of tokens) {
    if (token.nesting === -1) {
      stack.pop();
      continue;
    }
    const children: Node[] = [];
    stack.at(-1)?.push({ token, children });
    if (token.nesting === 1) stack.push(children);
  }
  return stack[0] ?? [];
}

/**
 * Blocks from the tree of tokens. With `open`, more text will follow: of the last block, and of the last
 * one in that, only the part is given that no later text can change.
 */
export function toBlocks(nodes: readonly Node[], open: boolean): Block[] {
  return nodes.flatMap((node, index) => toBlock(node, open && index === nodes.length - 1));
}

function toBlock(node: Node, open: boolean): Block[] {
  const { token, children } = node;
  switch (token.type) {
    case "paragraph_open":
      return withSpans({ type: "paragraph" }, children);
    case "heading_open":
      return withSpans({ type: "heading", level: Number(token.tag.slice(1)) }, children);
    case "fence":
    case "code_block":
      return toCode(token, open);
    case "math_block": {
      const text = open ? wholeLines(token.content) : token.content;
      return text ? [{ type: "paragraph", spans: [{ text }] }] : [];
    }
    case "blockquote_open": {
      const blocks = toBlocks(children, open);
      return blocks.length > 0 || !open ? [{ type: "quote", blocks }] : [];
    }
    case "bullet_list_open":
    case "ordered_list_open":
      return toList(node, open);
    case "table_open":
      return toTable(node, open);
    case "hr":
      return open ? [] : [{ type: "rule" }];
    default:
      return [];
  }
}

function withSpans(
  block: { type: "paragraph" } | { type: "heading"; level: number },
  children: readonly Node[],
): Block[] {
  const spans = toSpans(children.map(({ token }) => token));
  return spans.length > 0 ? [{ ...block, spans }] : [];
}

/** A language longer than this many characters is no language. */
const MAX_LANGUAGE = 40;

function toCode({ info, content }: Token, open: boolean): Block[] {
  const language = (info.trim().split(/\s+/)[0] ?? "").slice(0, MAX_LANGUAGE);
  // The end of the last line of an open block is kept, so that its parts are put together as they are.
  const text = open ? wholeLines(content.replace(/\n$/, "")) : content.replace(/\n$/, "");
  if (open && !text) return [];
  // Without a line of code, what stands behind the fence is all that was said.
  return [content ? { type: "code", language, text } : { type: "code", language: "", text: info.trim() }];
}

/** Without the last line, which may still be growing. */
function wholeLines(text: string): string {
  return text.slice(0, text.lastIndexOf("\n") + 1);
}

function toList({ token, children }: Node, open: boolean): Block[] {
  const items = children.flatMap((item, index) => toItem(item, open && index === children.length - 1));
  const list: List = { type: "list", items };
  if (items.length === 0) return [];
  return [
    token.type === "ordered_list_open" ? { ...list, start: Number(token.attrGet("start") ?? 1) } : list,
  ];
}

function toItem({ children }: Node, open: boolean): ListItem[] {
  const blocks = toBlocks(children, open);
  if (open && blocks.length === 0) return [];
  const [first, ...rest] = blocks;
  const task = first?.type === "paragraph" ? /^\[([ xX])\][ \n]/.exec(first.spans[0]?.text ?? "") : null;
  if (!task || first?.type !== "paragraph" || first.spans[0]?.styles) return [{ blocks }];
  const [span, ...spans] = first.spans;
  const text = (span?.text ?? "").slice(4);
  const paragraph = { ...first, spans: text ? [{ ...span, text }, ...spans] : spans };
  return [{ checked: task[1] !== " ", blocks: paragraph.spans.length > 0 ? [paragraph, ...rest] : rest }];
}

/** A head with more text than this, in UTF-16 units, is not repeated on every page: it becomes the first row. */
const MAX_HEAD = 300;

function toTable({ children }: Node, open: boolean): Block[] {
  const [head, body] = children;
  const cells = head?.children[0]?.children ?? [];
  const rows = (body?.children ?? []).map(toRow);
  const settled = open ? rows.slice(0, -1) : rows;
  if (open && settled.length === 0) return [];
  const first = cellsOf(cells);
  const widths = naturalWidths(first, settled[0]);
  const table: Table = { type: "table", align: cells.map(toAlign), head: first, rows: settled, widths };
  const length = first.reduce((total, cell) => total + textOf(cell).length, 0);
  // A head that nothing follows is a row too: a row can be cut over pages.
  if (length <= MAX_HEAD && settled.length > 0) return [table];
  return [{ ...table, head: first.map(() => []), rows: [first, ...settled] }];
}

function toRow({ children }: Node): Table["head"] {
  return cellsOf(children);
}

function cellsOf(cells: readonly Node[]): Table["head"] {
  return cells.map(({ children }) => toSpans(children.map(({ token }) => token)));
}

function toAlign({ token }: Node): Table["align"][number] {
  const style = String(token.attrGet("style") ?? "");
  return (["left", "center", "right"] as const).find((side) => style.endsWith(side));
}

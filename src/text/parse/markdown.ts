import type { Token } from "markdown-it";
import type { Block, Definition, List, ListItem, Span, Table } from "../block.ts";
import { parseTokens, unescaped } from "./markdown-it.ts";
import { createReferences } from "./references.ts";
import { joinSpans, textOf } from "../spans.ts";
import { toSpans } from "./inline.ts";
import { naturalWidths } from "../dialect/table.ts";
import { MAX_FORMULA } from "./tex.ts";

/**
 * Markdown (CommonMark with tables, strikethrough, task lists, bare links, footnotes, LaTeX and `||spoilers||`)
 * as blocks. Raw HTML is text, but for a few tags that stand within lines. So that no later line changes what stands far before it, an underlined heading is
 * one only up to 500 characters.
 */
export function parseMarkdown(text: string): readonly Block[] {
  const { tokens } = parseTokens({ text: cleanSource(text), mode: "whole" });
  return createReferences().resolve(toBlocks(toTree(tokens), false), false);
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
    case "math_block":
      return toFormula(token, open);
    case "definition":
      return open ? [] : toDefinition(token, children);
    case "footnote_open":
      return toFootnote(node, open);
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

/** One that is not closed is text. As long as that is not known, nothing of it is settled, unless it is too long. */
function toFormula({ content, meta }: Token, open: boolean): Block[] {
  if (!open && content === "") return [];
  if (!open)
    return [{ type: "paragraph", spans: [{ text: content, ...(meta && { tex: String(meta["tex"]) }) }] }];
  const text = content.length > MAX_FORMULA ? wholeLines(content) : "";
  return text ? [{ type: "paragraph", spans: [{ text }] }] : [];
}

/** `[label]: address`, as it was written: where nothing refers to it, it is shown. */
function toDefinition({ content, meta }: Token, children: readonly Node[]): Block[] {
  const spans = [{ text: content }, ...toSpans(children.map(({ token }) => token))];
  return [{ type: "paragraph", spans, defines: toDefines(meta) }];
}

function toDefines(meta: Token["meta"]): Definition {
  return { label: String(meta?.["label"]), href: String(meta?.["href"]) };
}

/** The text of a footnote stands where it was written, behind its number. */
function toFootnote({ token, children }: Node, open: boolean): Block[] {
  const blocks = toBlocks(children, open);
  const [first, ...others] = blocks;
  if (!first && open) return [];
  const defines = toDefines(token.meta);
  const number = { text: `${token.content} ` };
  if (first?.type !== "paragraph") return [{ type: "paragraph", spans: [number], defines }, ...blocks];
  return [{ ...first, spans: joinSpans([number], first.spans), defines }, ...others];
}

/** A language longer than this many characters is no language. */
const MAX_LANGUAGE = 40;

function toCode({ info, content }: Token, open: boolean): Block[] {
  const language = (unescaped(info).trim().split(/\s+/)[0] ?? "").slice(0, MAX_LANGUAGE);
  // The end of the last line of an open block is kept, so that its parts are put together as they are.
  const text = open ? wholeLines(content.replace(/\n$/, "")) : content.replace(/\n$/, "");
  if (open && !text) return [];
  // Without a line of code, what stands behind the fence is all that was said.
  return [
    content ? { type: "code", language, text } : { type: "code", language: "", text: unescaped(info).trim() },
  ];
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
  return cells.map(({ children }) => toSpans(children.map(({ token }) => token)).map(inOneLine));
}

/** A line break in a cell separates things that stand one behind the other where a row is one line. */
function inOneLine(span: Span): Span {
  return span.text.includes("\n")
    ? { ...span, text: span.text.replace(/(\p{P}?)(?<! ) *\n/gu, (_, mark) => `${mark || ";"} `) }
    : span;
}

function toAlign({ token }: Node): Table["align"][number] {
  const style = String(token.attrGet("style") ?? "");
  return (["left", "center", "right"] as const).find((side) => style.endsWith(side));
}

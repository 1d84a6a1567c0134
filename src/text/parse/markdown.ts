import type { Token } from "markdown-it";
import type { Block, Definition, List, ListItem, Span, Table } from "../block.ts";
import { parseTokens, unescaped } from "./markdown-it.ts";
import { createReferences } from "./references.ts";
import { cleanSource } from "./source.ts";
import { joinSpans, textOf } from "../spans.ts";
import { toSpans } from "./inline.ts";
import { naturalWidths } from "../dialect/table.ts";
import { MAX_FORMULA } from "./tex.ts";

/**
 * Parses Markdown (CommonMark with tables, strikethrough, task lists, bare links, footnotes, LaTeX and `||spoilers||`)
 * into blocks. Raw HTML is text, except for a few inline tags. An underlined heading has at most 500 characters, so that
 * no later line changes text far before it.
 */
export function parseMarkdown(text: string): readonly Block[] {
  const { tokens } = parseTokens({ text: cleanSource(text), mode: "whole" });
  return createReferences().resolve(toBlocks(toTree(tokens), false), false);
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
 * Converts the tree of tokens to blocks. With `open`, more text will follow, so the last block, and the last one nested
 * in it, is reduced to the part that no later text can change.
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

/** A formula that is never closed is text. Until that is known, none of it is settled, unless it is too long. */
function toFormula({ content, meta }: Token, open: boolean): Block[] {
  if (!open && content === "") return [];
  if (!open)
    return [{ type: "paragraph", spans: [{ text: content, ...(meta && { tex: String(meta["tex"]) }) }] }];
  const text = content.length > MAX_FORMULA ? wholeLines(content) : "";
  return text ? [{ type: "paragraph", spans: [{ text }] }] : [];
}

/** `[label]: address` as it was written; it is shown if nothing refers to it. */
function toDefinition({ content, meta }: Token, children: readonly Node[]): Block[] {
  const spans = [{ text: content }, ...toSpans(children.map(({ token }) => token))];
  return [{ type: "paragraph", spans, defines: toDefines(meta) }];
}

function toDefines(meta: Token["meta"]): Definition {
  return { label: String(meta?.["label"]), href: String(meta?.["href"]) };
}

/** A footnote is shown where it was written, after its number. */
function toFootnote({ token, children }: Node, open: boolean): Block[] {
  const blocks = toBlocks(children, open);
  const [first, ...others] = blocks;
  if (!first && open) return [];
  const defines = toDefines(token.meta);
  const number = { text: `${token.content} ` };
  if (first?.type !== "paragraph") return [{ type: "paragraph", spans: [number], defines }, ...blocks];
  return [{ ...first, spans: joinSpans([number], first.spans), defines }, ...others];
}

/** The language of a code block is cut to this many characters. */
const MAX_LANGUAGE = 40;

function toCode({ info, content }: Token, open: boolean): Block[] {
  const language = (unescaped(info).trim().split(/\s+/)[0] ?? "").slice(0, MAX_LANGUAGE);
  // The last line break of an open block is kept, so that its parts join seamlessly.
  const text = open ? wholeLines(content.replace(/\n$/, "")) : content.replace(/\n$/, "");
  if (open && !text) return [];
  // If there is no code, the text after the fence is the content.
  return [
    content ? { type: "code", language, text } : { type: "code", language: "", text: unescaped(info).trim() },
  ];
}

/** The text without its last line, which may be incomplete. */
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

/** A head longer than this, in UTF-16 units, is not repeated on every page: it becomes the first row. */
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
  // A head without rows becomes a row too, because only rows can be cut over pages.
  if (length <= MAX_HEAD && settled.length > 0) return [table];
  return [{ ...table, head: first.map(() => []), rows: [first, ...settled] }];
}

function toRow({ children }: Node): Table["head"] {
  return cellsOf(children);
}

function cellsOf(cells: readonly Node[]): Table["head"] {
  return cells.map(({ children }) => toSpans(children.map(({ token }) => token)).map(inOneLine));
}

/**
 * Replaces each line break in a cell by a semicolon, unless punctuation precedes it: some dialects write a row as one
 * line.
 */
function inOneLine(span: Span): Span {
  return span.text.includes("\n")
    ? { ...span, text: span.text.replace(/(\p{P}?)(?<! ) *\n/gu, (_, mark) => `${mark || ";"} `) }
    : span;
}

function toAlign({ token }: Node): Table["align"][number] {
  const style = String(token.attrGet("style") ?? "");
  return (["left", "center", "right"] as const).find((side) => style.endsWith(side));
}

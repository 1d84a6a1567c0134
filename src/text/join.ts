import type { Block, ListItem, Quote, Table } from "./block.ts";
import { joinSpans } from "./spans.ts";

/** Appends blocks to others; a first block that `continues` is merged with the last one. */
export function join(blocks: readonly Block[], more: readonly Block[]): readonly Block[] {
  const last = blocks.at(-1);
  const [next, ...others] = more;
  if (!next) return blocks;
  const joined = last && next.continues && joinTwo(last, next);
  return joined ? [...blocks.slice(0, -1), joined, ...others] : [...blocks, ...more];
}

function joinTwo(a: Block, b: Block): Block | undefined {
  if (a.type === "paragraph" && b.type === "paragraph") return { ...a, spans: joinSpans(a.spans, b.spans) };
  if (a.type === "heading" && b.type === "heading") return { ...a, spans: joinSpans(a.spans, b.spans) };
  if (a.type === "code" && b.type === "code") return { ...a, text: a.text + b.text };
  if (a.type === "quote" && b.type === "quote") return joinQuotes(a, b);
  if (a.type === "list" && b.type === "list") return { ...a, items: joinItems(a.items, b.items) };
  if (a.type === "table" && b.type === "table") return joinTables(a, b);
  return undefined;
}

function joinQuotes(a: Quote, b: Quote): Quote {
  return { ...a, blocks: join(a.blocks, b.blocks) };
}

function joinItems(a: readonly ListItem[], b: readonly ListItem[]): readonly ListItem[] {
  const last = a.at(-1);
  const [next, ...others] = b;
  if (!last || !next?.continues) return [...a, ...b];
  return [...a.slice(0, -1), { ...last, blocks: join(last.blocks, next.blocks) }, ...others];
}

function joinTables(a: Table, b: Table): Table {
  return { ...a, rows: [...a.rows, ...b.rows] };
}

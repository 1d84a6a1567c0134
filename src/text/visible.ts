import type { Block, Span } from "./block.ts";

const VISIBLE = /[^\s\p{Cc}\p{Cf}\p{Z}\p{Default_Ignorable_Code_Point}\u2800\ufffc]/u;

/** Whether the blocks show anything; platforms refuse messages without visible text. */
export function isVisible(blocks: readonly Block[]): boolean {
  return blocks.some((block) => {
    switch (block.type) {
      case "paragraph":
      case "heading":
        return isVisibleText(block.spans);
      case "code":
        return VISIBLE.test(block.text);
      case "quote":
        return isVisible(block.blocks);
      case "list":
        return block.items.some((item) => isVisible(item.blocks));
      case "table":
        return [block.head, ...block.rows].some((row) => row.some(isVisibleText));
      case "rule":
        return true;
    }
  });
}

function isVisibleText(spans: readonly Span[]): boolean {
  return spans.some(({ text }) => VISIBLE.test(text));
}

/** Removes white space at the edges where a page was cut: in text all of it, in code only the trailing line break. */
export function withCleanEdges(blocks: readonly Block[]): readonly Block[] {
  return cleanAt(cleanAt(blocks, "end"), "start");
}

type Edge = "start" | "end";

function cleanAt(blocks: readonly Block[], edge: Edge): readonly Block[] {
  const block = edge === "start" ? blocks[0] : blocks.at(-1);
  if (!block || (edge === "start" && !block.continues)) return blocks;
  const clean = cleanBlock(block, edge);
  return edge === "start" ? [clean, ...blocks.slice(1)] : [...blocks.slice(0, -1), clean];
}

function cleanBlock(block: Block, edge: Edge): Block {
  switch (block.type) {
    case "paragraph":
    case "heading":
      return { ...block, spans: trimSpans(block.spans, edge) };
    case "code":
      return edge === "end" ? { ...block, text: block.text.replace(/\n$/, "") } : block;
    case "quote":
      return { ...block, blocks: cleanAt(block.blocks, edge) };
    case "list": {
      const item = edge === "start" ? block.items[0] : block.items.at(-1);
      if (!item) return block;
      const clean = { ...item, blocks: cleanAt(item.blocks, edge) };
      const items =
        edge === "start" ? [clean, ...block.items.slice(1)] : [...block.items.slice(0, -1), clean];
      return { ...block, items };
    }
    default:
      return block;
  }
}

function trimSpans(spans: readonly Span[], edge: Edge): readonly Span[] {
  const rest = [...spans];
  for (;;) {
    const index = edge === "start" ? 0 : rest.length - 1;
    const span = rest[index];
    if (!span) return rest;
    const text = edge === "start" ? span.text.trimStart() : span.text.trimEnd();
    if (text) {
      rest[index] = { ...span, text };
      return rest;
    }
    rest.splice(index, 1);
  }
}

import type { Block, Cell, Definition, ListItem, Span } from "../block.ts";
import { withDestination } from "./destination.ts";
import { joinSpans } from "../spans.ts";

/**
 * Turns references into links, page by page. A page uses the definitions on it and on the pages before it; later
 * definitions never change it. A definition stays visible if nothing on its page refers to it, or if an earlier page
 * has already shown the label in brackets.
 */
export interface References {
  /**
   * Returns the blocks as they are shown. With `measured`, nothing is removed, so that more text can only make a page
   * larger.
   */
  resolve(blocks: readonly Block[], measured: boolean): readonly Block[];
  /** Records the definitions and references of a page that is full. */
  addPage(blocks: readonly Block[]): void;
}

/** Creates the references of one answer. */
export function createReferences(): References {
  const known = new Map<string, string>();
  /** Labels that an earlier page has shown in brackets. */
  const missed = new Set<string>();
  return {
    resolve: (blocks, measured) => {
      const found = collect(blocks);
      if (found.used.size === 0 && found.defined.size === 0) return blocks;
      const address = (label: string) => known.get(label) ?? found.defined.get(label);
      const isHidden = ({ label, href }: Definition) =>
        !measured && href !== "" && found.used.has(label) && !missed.has(label);
      return mapBlocks(blocks, {
        spans: (spans) => resolveSpans(spans, address, measured),
        isHidden,
      });
    },
    addPage: (blocks) => {
      const { used, defined } = collect(blocks);
      for (const [label, href] of defined) if (!known.has(label)) known.set(label, href);
      for (const label of used) if (!known.has(label)) missed.add(label);
    },
  };
}

interface Found {
  readonly used: Set<string>;
  readonly defined: Map<string, string>;
}

function collect(blocks: readonly Block[]): Found {
  const found: Found = { used: new Set(), defined: new Map() };
  collectBlocks(blocks, found);
  return found;
}

function collectBlocks(blocks: readonly Block[], found: Found): void {
  for (const block of blocks) {
    switch (block.type) {
      case "paragraph":
        if (block.defines && !found.defined.has(block.defines.label)) {
          found.defined.set(block.defines.label, block.defines.href);
        }
        collectSpans(block.spans, found);
        break;
      case "heading":
        collectSpans(block.spans, found);
        break;
      case "quote":
        collectBlocks(block.blocks, found);
        break;
      case "list":
        for (const { blocks: within } of block.items) collectBlocks(within, found);
        break;
      case "table":
        for (const row of [block.head, ...block.rows]) for (const cell of row) collectSpans(cell, found);
        break;
      case "code":
      case "rule":
    }
  }
}

function collectSpans(spans: readonly Span[], { used }: Found): void {
  for (const { ref } of spans) if (ref !== undefined) used.add(ref);
}

interface Change {
  readonly spans: (spans: readonly Span[]) => readonly Span[];
  readonly isHidden: (definition: Definition) => boolean;
}

function mapBlocks(blocks: readonly Block[], change: Change): readonly Block[] {
  return blocks.flatMap((block): Block[] => {
    switch (block.type) {
      case "paragraph": {
        const { defines, ...paragraph } = block;
        return defines && change.isHidden(defines)
          ? []
          : [{ ...paragraph, spans: change.spans(block.spans) }];
      }
      case "heading":
        return [{ ...block, spans: change.spans(block.spans) }];
      case "quote":
        return [{ ...block, blocks: mapBlocks(block.blocks, change) }];
      case "list":
        return [{ ...block, items: block.items.map((item) => mapItem(item, change)) }];
      case "table": {
        const map = (row: readonly Cell[]) => row.map(change.spans);
        return [{ ...block, head: map(block.head), rows: block.rows.map(map) }];
      }
      default:
        return [block];
    }
  });
}

function mapItem(item: ListItem, change: Change): ListItem {
  return { ...item, blocks: mapBlocks(item.blocks, change) };
}

function resolveSpans(
  spans: readonly Span[],
  address: (label: string) => string | undefined,
  measured: boolean,
): readonly Span[] {
  if (!spans.some(({ ref }) => ref !== undefined)) return spans;
  const resolved: Span[] = [];
  let link: Span[] = [];
  const end = () => {
    resolved.push(...withDestination(link, link[0]?.href));
    link = [];
  };
  for (const span of spans) {
    const href = span.ref === undefined ? undefined : address(span.ref);
    if (span.bracket || !href || href !== link[0]?.href) end();
    if (span.ref === undefined) {
      resolved.push(span);
      continue;
    }
    if (span.bracket && href !== undefined && !measured) continue;
    const { text, styles, tex } = span;
    const leadsTo = (!span.bracket && href) || span.href;
    const shown = {
      text,
      ...(styles && { styles }),
      ...(tex && { tex }),
      ...(leadsTo && { href: leadsTo }),
    };
    if (!span.bracket && href) link.push(shown);
    else resolved.push(shown);
  }
  end();
  return joinSpans([], resolved);
}

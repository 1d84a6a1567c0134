import type { Block, Heading, List, ListItem, Span, Style, Table } from "../../src/text/block.ts";
import type { Dialect } from "../../src/text/dialect.ts";
import { spellOutLinks } from "../../src/text/links.ts";
import { writeSpans } from "../../src/text/nest.ts";
import { alignTable, tableCards } from "../../src/text/table.ts";
import { codeBlock, escaped, inlineCode } from "./escape.ts";

/** A message as "Create Message" takes it. */
export interface DiscordBody {
  readonly content: string;
}

/** Discord's limit for `content`; its staff say that it counts code points (discord-api-docs #1315). */
const MAX_LENGTH = 2000;

/** So many monospaced columns fit on a telephone. */
const TABLE_WIDTH = 40;

/** Discord knows three sizes of headings. */
const LAST_HEADING = 3;

/** Rich text as Discord's Markdown; what is text stays text, whatever it looks like. */
export function createDiscordDialect(): Dialect<DiscordBody> {
  return {
    limits: { length: MAX_LENGTH, unit: "code points" },
    print: (blocks) => ({ content: printBlocks(blocks, false).replace(/^\n+/, "").trimEnd() }),
    fits: ({ content }) => countCodePoints(content) <= MAX_LENGTH,
  };
}

function countCodePoints(text: string): number {
  return text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);
}

/** `nested`: within a list item, where blocks stand closer together. */
function printBlocks(blocks: readonly Block[], nested: boolean): string {
  return blocks.map((block) => printBlock(block, nested)).join(nested ? "\n" : "\n\n");
}

function printBlock(block: Block, nested: boolean): string {
  switch (block.type) {
    case "paragraph":
      return printSpans(block.spans);
    case "heading":
      return printHeading(block, nested);
    case "code":
      return codeBlock(block.text, block.language);
    case "quote":
      return printBlocks(flat(block.blocks), nested).replace(/^/gm, "> ");
    case "list":
      return printList(block);
    case "table":
      return printTable(block);
    case "rule":
      return "———";
  }
}

/** Discord knows no quotes in quotes. */
function flat(blocks: readonly Block[]): readonly Block[] {
  return blocks.flatMap((block) => (block.type === "quote" ? flat(block.blocks) : [block]));
}

function printHeading({ level, spans }: Heading, nested: boolean): string {
  if (!nested && level <= LAST_HEADING)
    return `${"#".repeat(level)} ${printSpans(spans).replaceAll("\n", " ")}`;
  return printSpans(
    spans.map((span) => ({ ...span, styles: [...new Set<Style>(["bold", ...(span.styles ?? [])])] })),
  );
}

const MARKS: Readonly<Record<Style, string>> = {
  bold: "**",
  italic: "*",
  strike: "~~",
  spoiler: "||",
  code: "", // its marks depend on the text
};

/** Keeps two marks apart that would be read as one. */
const APART = "\u200b";

function printSpans(spans: readonly Span[]): string {
  let text = "";
  writeSpans(spellOutLinks(spans, isLinkable), {
    open: (mark) => {
      const opening = "href" in mark ? "[" : MARKS[mark.style];
      if (opening.startsWith("*") && /(?<!\\)\*$/.test(text)) text += APART;
      text += opening;
    },
    close: (mark) => {
      text += "href" in mark ? `](<${mark.href}>)` : MARKS[mark.style];
    },
    text: (span) => {
      text += printText(span, /(?:^|\n)\s*$/.test(text));
    },
  });
  return text;
}

function printText({ text, styles, href }: Span, atLineStart: boolean): string {
  if (styles?.includes("code")) return inlineCode(text);
  // Within an address a backslash would be part of it.
  if (ADDRESS.test(text)) return `<${text}>`;
  const safe = escaped(text, atLineStart);
  return href ? safe.replace(/(?<!\\)[[\]]/g, "\\$&") : safe;
}

const ADDRESS = /^https?:\/\/[^\s<>]+$/i;

/** Discord shows a link as written if its text looks like an address, lest it lead elsewhere. */
function isLinkable(link: { readonly href: string | undefined; readonly spans: readonly Span[] }): boolean {
  return ADDRESS.test(link.href ?? "") && !link.spans.some(({ text }) => /https?:\/\//i.test(text));
}

function printList({ items, start }: List): string {
  return items
    .map((item, index) => {
      const indent = start === undefined ? "  " : "   ";
      const marker = item.continues
        ? indent
        : markerOf(item, start === undefined ? undefined : start + index);
      return marker + indented(printBlocks(item.blocks, true), indent);
    })
    .join("\n");
}

function markerOf({ checked }: ListItem, number: number | undefined): string {
  const marker = number === undefined ? "- " : `${number}. `;
  return checked === undefined ? marker : `${marker}${checked ? "☑" : "☐"} `;
}

/** Indents all lines but the first. */
function indented(text: string, indent: string): string {
  return text.replaceAll("\n", `\n${indent}`);
}

function printTable(table: Table): string {
  const lines = alignTable(table, TABLE_WIDTH);
  if (lines) return codeBlock(lines.join("\n"), "");
  return tableCards(table)
    .map((card) => card.map(printSpans).join("\n"))
    .join("\n\n");
}

import { z } from "zod";
import { clean } from "../clean.ts";
import { parseHtml, type Tag } from "./html.ts";
import { badRequest } from "../refusal.ts";
import { plain, type RichBlock, type RichCell, type RichItem, type SimulatedRich } from "./rich.ts";
import {
  contentRequired,
  type Count,
  deeper,
  filled,
  LIMITS,
  type Position,
  readFormula,
  readText,
} from "./text.ts";

const Given = z.strictObject({
  html: z.string(),
  is_rtl: z.boolean().optional(),
  skip_entity_detection: z.boolean().optional(),
});

/** The most bytes of the source; Telegram silently cuts off the rest (tdlib, misc.cpp: clean_input_string). */
const MAX_BYTES = 35_000;

/** Reads `rich_message` of a request as Telegram does; throws Telegram's refusal if it is invalid. */
export function readRichMessage(value: unknown): SimulatedRich {
  const given = Given.safeParse(value);
  if (!given.success)
    throw badRequest("can't parse InputRichMessage: this simulator supports only the field html");
  const { html, is_rtl, skip_entity_detection } = given.data;
  if (!skip_entity_detection)
    throw badRequest("this simulator does not detect entities: set skip_entity_detection");
  if (/\p{Surrogate}/u.test(html)) throw badRequest("strings must be encoded in UTF-8");
  const source = Buffer.from(clean(html))
    .subarray(0, MAX_BYTES)
    .toString()
    .replace(/\uFFFD$/, "");
  if (source.trim() === "") throw badRequest("rich message must be non-empty");
  const count: Count = { text: 0, blocks: 0 };
  const blocks = readBlocks(parseHtml(source), { count, depth: 0 });
  if (blocks.length === 0) throw contentRequired();
  if (count.text > LIMITS.text) throw badRequest("RICH_MESSAGE_TEXT_TOO_LONG");
  if (count.blocks > LIMITS.blocks) throw badRequest("RICH_MESSAGE_BLOCKS_TOO_MANY");
  return { blocks, ...(is_rtl && { is_rtl }) };
}

const INLINE = ["b", "i", "s", "code", "a", "tg-spoiler", "tg-math", "br", "strong", "em", "u", "sub", "sup"];

/** Reads the blocks inside a tag. Text between blocks becomes a paragraph. */
function readBlocks({ children }: Tag, position: Position): RichBlock[] {
  const groups: (Tag | (Tag | string)[])[] = [];
  for (const child of children) {
    const last = groups.at(-1);
    if (typeof child !== "string" && !INLINE.includes(child.name)) groups.push(child);
    else if (Array.isArray(last)) last.push(child);
    else groups.push([child]);
  }
  return groups
    .filter((group) => !Array.isArray(group) || group.some((part) => typeof part !== "string" || part.trim()))
    .map((group) => {
      position.count.blocks += 1;
      if (!Array.isArray(group)) return readBlock(group, deeper(position));
      return { type: "paragraph", text: readText(group, deeper(position)) };
    });
}

function readBlock(tag: Tag, position: Position): RichBlock {
  switch (tag.name) {
    case "p":
      return { type: "paragraph", text: filled(readText(tag.children, position)) };
    case "h1":
    case "h2":
    case "h3":
    case "h4":
    case "h5":
    case "h6":
      return { type: "heading", text: filled(readText(tag.children, position)), size: Number(tag.name[1]) };
    case "pre":
      return readPre(tag, position);
    case "hr":
      return { type: "divider" };
    case "tg-math-block":
      return { type: "mathematical_expression", expression: readFormula(tag, position) };
    case "ul":
    case "ol":
      return { type: "list", items: readItems(tag, position) };
    case "blockquote":
      return readQuote(tag, position);
    case "table":
      return readTable(tag, position);
    default:
      throw badRequest(`can't parse entities: Unsupported start tag "${tag.name}"`);
  }
}

function readPre(tag: Tag, position: Position): RichBlock {
  const [first, ...others] = tag.children;
  const code = typeof first === "object" && first.name === "code" && others.length === 0 ? first : undefined;
  const language = code?.attributes["class"]?.replace(/^language-/, "");
  const text = filled(readText((code ?? tag).children, position, "pre"));
  return { type: "pre", text, ...(language && { language }) };
}

function readQuote(tag: Tag, position: Position): RichBlock {
  if ("expandable" in tag.attributes) {
    return { type: "expandable_blockquote", text: filled(readText(tag.children, position)) };
  }
  const blocks = readBlocks(tag, position);
  if (blocks.length === 0) throw contentRequired();
  return { type: "blockquote", blocks };
}

function readItems({ name, attributes, children }: Tag, position: Position): RichItem[] {
  let next = Number(attributes["start"] ?? 1);
  return tagsIn(children, ["li"]).map((item) => {
    position.count.blocks += 1;
    const [first] = item.children;
    const box = typeof first === "object" && first.name === "input" ? first : undefined;
    const content = { ...item, children: box ? item.children.slice(1) : item.children };
    const blocks = readBlocks(content, deeper(position));
    if (blocks.length === 0) throw contentRequired();
    const value = Number(item.attributes["value"] ?? next);
    next = value + 1;
    return {
      label: name === "ol" ? `${value}.` : "•",
      blocks,
      ...(box && { has_checkbox: true }),
      ...(box && "checked" in box.attributes && { is_checked: true }),
      ...(name === "ol" && { value }),
    };
  });
}

function readTable({ attributes, children }: Tag, position: Position): RichBlock {
  const cells = tagsIn(children, ["tr"]).map((row) => {
    position.count.blocks += 1;
    const cellsOfRow = tagsIn(row.children, ["td", "th"]);
    if (cellsOfRow.length > LIMITS.columns) throw badRequest("RICH_MESSAGE_TABLE_COLUMNS_TOO_MANY");
    return cellsOfRow.map((cell): RichCell => {
      const text = readText(cell.children, deeper(deeper(position)));
      return {
        ...(plain(text) && { text }),
        ...(cell.name === "th" && { is_header: true }),
        align: cell.attributes["align"] ?? "left",
        valign: "middle",
      };
    });
  });
  return { type: "table", cells, ...("bordered" in attributes && { is_bordered: true }) };
}

/** The children as tags; throws a `Refusal` unless all of them have one of the names. */
function tagsIn(children: Tag["children"], names: readonly string[]): Tag[] {
  return children.map((child) => {
    if (typeof child === "object" && names.includes(child.name)) return child;
    throw contentRequired();
  });
}

import type { SimulatedEntity } from "../../../adapters/telegram/simulator/entities.ts";
import type { RichBlock, RichText, SimulatedRich } from "../../../adapters/telegram/simulator/rich/rich.ts";
import type { Kind, Shape } from "../protocol.ts";
import { linked, styled } from "./shapes.ts";

/** Shows a text with entities, or a rich message, as Telegram does. */
export function showTelegram(message: {
  readonly text: string;
  readonly entities: readonly SimulatedEntity[];
  readonly rich?: SimulatedRich;
}): Shape[] {
  if (message.rich) return message.rich.blocks.map(showBlock);
  return showEntities({ text: message.text, begin: 0, end: message.text.length }, message.entities);
}

const KINDS: Readonly<Record<string, Kind>> = {
  bold: "bold",
  italic: "italic",
  underline: "underline",
  strikethrough: "strike",
  spoiler: "spoiler",
  code: "code",
  pre: "pre",
  blockquote: "quote",
  expandable_blockquote: "quote",
  bot_command: "mention",
  mention: "mention",
};

interface Range {
  readonly text: string;
  readonly begin: number;
  readonly end: number;
}

/** Entities are nested or disjoint: the first and longest contains those that begin within it. */
function showEntities({ text, begin, end }: Range, entities: readonly SimulatedEntity[]): Shape[] {
  const shapes: Shape[] = [];
  const sorted = entities.toSorted((a, b) => a.offset - b.offset || b.length - a.length);
  let at = begin;
  for (const [index, entity] of sorted.entries()) {
    const until = Math.min(end, entity.offset + entity.length);
    if (entity.offset < at || until <= at) continue;
    if (entity.offset > at) shapes.push(text.slice(at, entity.offset));
    const within = sorted.slice(index + 1).filter(({ offset, length }) => offset + length <= until);
    const of = showEntities({ text, begin: entity.offset, end: until }, within);
    shapes.push(showEntity(entity, of));
    at = until;
  }
  if (at < end) shapes.push(text.slice(at, end));
  return shapes;
}

function showEntity({ type, url, language }: SimulatedEntity, of: readonly Shape[]): Shape {
  if (url !== undefined) return linked(url, of);
  const is = KINDS[type];
  if (!is) return styled("small", ...of);
  return { is, of, ...(is === "pre" && language && { note: language }) };
}

function showBlock(block: RichBlock): Shape {
  switch (block.type) {
    case "paragraph":
      return styled("paragraph", ...showText(block.text));
    case "heading":
      return styled(block.size <= 1 ? "h1" : block.size === 2 ? "h2" : "h3", ...showText(block.text));
    case "pre":
      return { is: "pre", of: showText(block.text), ...(block.language && { note: block.language }) };
    case "divider":
      return styled("rule");
    case "mathematical_expression":
      return styled("paragraph", styled("code", block.expression));
    case "list":
      return styled(
        "list",
        ...block.items.map(({ label, blocks, has_checkbox, is_checked }) => {
          const marker = has_checkbox ? (is_checked ? "☑" : "☐") : label;
          return styled("item", styled("dim", `${marker} `), ...blocks.map(showBlock));
        }),
      );
    case "blockquote":
      return styled("quote", ...block.blocks.map(showBlock));
    case "expandable_blockquote":
      return styled("quote", ...showText(block.text));
    case "table":
      return styled(
        "table",
        ...block.cells.map((row) =>
          styled(
            "row",
            ...row.map(({ text = "", is_header }) => styled(is_header ? "head" : "cell", ...showText(text))),
          ),
        ),
      );
  }
}

function showText(text: RichText): Shape[] {
  if (typeof text === "string") return text ? [text] : [];
  if (!("type" in text)) return text.flatMap(showText);
  if (text.expression !== undefined) return [styled("code", text.expression)];
  const of = showText(text.text ?? "");
  if (text.url !== undefined) return [linked(text.url, of)];
  const is = KINDS[text.type];
  return is ? [styled(is, ...of)] : of;
}

import type { Tag } from "./html.ts";
import { checkLink } from "../links.ts";
import { badRequest } from "../refusal.ts";
import { plain, type RichText } from "./rich.ts";

/**
 * Telegram's limits: https://core.telegram.org/bots/api#rich-message-limits. Only the refusals of the first two are
 * Telegram's exact texts.
 */
export const LIMITS = { text: 32_768, blocks: 500, depth: 16, columns: 20 };

/** The refusal of missing content, of an empty block, and of a block inside a paragraph. */
export function contentRequired() {
  return badRequest("RICH_MESSAGE_CONTENT_REQUIRED");
}

/** How much of the limits a message has used. */
export interface Count {
  text: number;
  blocks: number;
}

/** The position of a tag in a message. */
export interface Position {
  readonly count: Count;
  readonly depth: number;
}

/** The position one level deeper; throws a `Refusal` beyond the limit. */
export function deeper({ count, depth }: Position): Position {
  if (depth >= LIMITS.depth) throw badRequest("RICH_MESSAGE_DEPTH_INVALID");
  return { count, depth: depth + 1 };
}

const STYLES: Readonly<Record<string, string>> = {
  b: "bold",
  strong: "bold",
  i: "italic",
  em: "italic",
  u: "underline",
  s: "strikethrough",
  code: "code",
  sub: "subscript",
  sup: "superscript",
  "tg-spoiler": "spoiler",
};

/** Reads text and styles. Blanks and line breaks collapse to one space, as in HTML, except in preformatted text. */
export function readText(children: Tag["children"], position: Position, kind?: "pre"): RichText {
  const parts = children.map((child): RichText => {
    if (typeof child === "object") return readStyle(child, deeper(position));
    const text = kind ? child : child.replace(/[ \n]+/g, " ");
    position.count.text += Array.from(text).length;
    return text;
  });
  return parts.length === 1 ? (parts[0] ?? "") : parts;
}

function readStyle(tag: Tag, position: Position): RichText {
  if (tag.name === "br") return "\n";
  if (tag.name === "tg-math")
    return { type: "mathematical_expression", expression: readFormula(tag, position) };
  const text = filled(readText(tag.children, position));
  if (tag.name === "a") return readLink(tag.attributes["href"] ?? "", text);
  const type = STYLES[tag.name];
  if (type) return { type, text };
  // A block inside a paragraph, or a tag with a function, such as a button.
  throw contentRequired();
}

/** Reads a link. A link to a user is a mention. */
function readLink(href: string, text: RichText): RichText {
  const link = checkLink(href);
  if ("refused" in link) throw badRequest("RICH_MESSAGE_URL_INVALID");
  return "user" in link ? { type: "text_mention", text } : { type: "url", text, url: link.url };
}

/** Reads the LaTeX of a formula. */
export function readFormula({ children }: Tag, { count }: Position): string {
  const [source, ...others] = children;
  if (typeof source !== "string" || others.length > 0 || source.trim() === "") throw contentRequired();
  count.text += Array.from(source).length;
  return source;
}

/** Returns the text; throws a `Refusal` if it has no visible content. */
export function filled(text: RichText): RichText {
  if (plain(text).trim() || JSON.stringify(text).includes("mathematical_expression")) return text;
  throw contentRequired();
}

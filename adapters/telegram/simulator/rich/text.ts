import type { Tag } from "./html.ts";
import { checkLink } from "../links.ts";
import { badRequest } from "../refusal.ts";
import { plain, type RichText } from "./rich.ts";

/** https://core.telegram.org/bots/api#rich-message-limits. The words of the refusals are known for the first two. */
export const LIMITS = { text: 32_768, blocks: 500, depth: 16, columns: 20 };

/** Also where a block is empty, and where one stands in a paragraph. */
export function contentRequired() {
  return badRequest("RICH_MESSAGE_CONTENT_REQUIRED");
}

/** What the limits are about. */
export interface Count {
  text: number;
  blocks: number;
}

/** Where in a message something stands. */
export interface Place {
  readonly count: Count;
  readonly depth: number;
}

/** One level further in. */
export function deeper({ count, depth }: Place): Place {
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

/** Blanks and line breaks are one space, as in HTML, except where text is preformatted. */
export function readText(children: Tag["children"], place: Place, kind?: "pre"): RichText {
  const parts = children.map((child): RichText => {
    if (typeof child === "object") return readStyle(child, deeper(place));
    const text = kind ? child : child.replace(/[ \n]+/g, " ");
    place.count.text += Array.from(text).length;
    return text;
  });
  return parts.length === 1 ? (parts[0] ?? "") : parts;
}

function readStyle(tag: Tag, place: Place): RichText {
  if (tag.name === "br") return "\n";
  if (tag.name === "tg-math") return { type: "mathematical_expression", expression: readFormula(tag, place) };
  const text = filled(readText(tag.children, place));
  if (tag.name === "a") return readLink(tag.attributes["href"] ?? "", text);
  const type = STYLES[tag.name];
  if (type) return { type, text };
  // A block in a paragraph, or a tag that does something, such as a button.
  throw contentRequired();
}

/** Links into Telegram that are more than links. */
function readLink(href: string, text: RichText): RichText {
  const link = checkLink(href);
  if ("refused" in link) throw badRequest("RICH_MESSAGE_URL_INVALID");
  return "user" in link ? { type: "text_mention", text } : { type: "url", text, url: link.url };
}

/** What is drawn. */
export function readFormula({ children }: Tag, { count }: Place): string {
  const [source, ...others] = children;
  if (typeof source !== "string" || others.length > 0 || source.trim() === "") throw contentRequired();
  count.text += Array.from(source).length;
  return source;
}

/** A text in which something can be seen. */
export function filled(text: RichText): RichText {
  if (plain(text).trim() || JSON.stringify(text).includes("mathematical_expression")) return text;
  throw contentRequired();
}

import type { RichBlock, RichText } from "../../adapters/telegram/simulator/rich.ts";
import type { SimulatedEntity } from "../../adapters/telegram/simulator/entities.ts";
import { createWebDialect } from "../../adapters/web/index.ts";
import { parseMarkdown } from "../text/markdown.ts";

const web = createWebDialect();

/** Markdown as clients of Discord and DingTalk show it; safe to be put into a page. */
export function markdownHtml(text: string): string {
  return web.print(parseMarkdown(text)).html;
}

/** Plain text, with its line breaks. */
export function plainHtml(text: string): string {
  return escaped(text).replaceAll("\n", "<br>");
}

const TAGS: Readonly<Record<string, string>> = {
  bold: "strong",
  italic: "em",
  underline: "u",
  strikethrough: "s",
  code: "code",
  pre: "pre",
  blockquote: "blockquote",
  expandable_blockquote: "blockquote",
};

/** A message of Telegram with its entities, which lie within one another or apart. */
export function entitiesHtml(text: string, entities: readonly SimulatedEntity[]): string {
  const opening = entities.toSorted((a, b) => a.offset - b.offset || b.length - a.length);
  const open: SimulatedEntity[] = [];
  let html = "";
  let at = 0;
  const write = (to: number) => {
    html += escaped(text.slice(at, to));
    at = to;
  };
  const closeUntil = (place: number) => {
    for (let last = open.at(-1); last && last.offset + last.length <= place; last = open.at(-1)) {
      write(last.offset + last.length);
      html += styleTags(last)[1];
      open.pop();
    }
  };
  for (const entity of opening) {
    closeUntil(entity.offset);
    write(entity.offset);
    html += styleTags(entity)[0];
    open.push(entity);
  }
  closeUntil(Number.POSITIVE_INFINITY);
  write(text.length);
  return html;
}

function styleTags({
  type,
  url,
}: {
  readonly type: string;
  readonly url?: string;
}): readonly [string, string] {
  if (type === "spoiler") return ['<span class="spoiler" tabindex="0">', "</span>"];
  if (type === "text_link" || type === "url")
    return /^https?:/i.test(url ?? "")
      ? [`<a href="${escaped(url ?? "")}" rel="noopener noreferrer nofollow" target="_blank">`, "</a>"]
      : ["", ""];
  const tag = TAGS[type];
  return tag ? [`<${tag}>`, `</${tag}>`] : ["", ""];
}

/** A rich message of Telegram. */
export function richHtml(blocks: readonly RichBlock[]): string {
  return blocks.map(blockHtml).join("");
}

function blockHtml(block: RichBlock): string {
  switch (block.type) {
    case "divider":
      return "<hr>";
    case "mathematical_expression":
      return `<p class="formula">${escaped(block.expression)}</p>`;
    case "list":
      return `<ul class="plain">${block.items.map(({ label, blocks, has_checkbox, is_checked }) => `<li>${has_checkbox ? (is_checked ? "☑" : "☐") : escaped(label)} ${richHtml(blocks)}</li>`).join("")}</ul>`;
    case "blockquote":
      return `<blockquote>${richHtml(block.blocks)}</blockquote>`;
    case "table":
      return `<div class="table"><table>${block.cells.map((row) => `<tr>${row.map(({ text = "", is_header }) => (is_header ? `<th>${richTextHtml(text)}</th>` : `<td>${richTextHtml(text)}</td>`)).join("")}</tr>`).join("")}</table></div>`;
    case "heading":
      return `<h3>${richTextHtml(block.text)}</h3>`;
    case "pre":
      return `<pre><code>${richTextHtml(block.text)}</code></pre>`;
    case "expandable_blockquote":
      return `<blockquote>${richTextHtml(block.text)}</blockquote>`;
    case "paragraph":
      return `<p>${richTextHtml(block.text)}</p>`;
  }
}

function richTextHtml(text: RichText): string {
  if (typeof text === "string") return plainHtml(text);
  if ("type" in text) {
    const [before, after] = styleTags({ ...text, type: text.type === "url" ? "text_link" : text.type });
    return (
      before +
      (text.expression === undefined ? richTextHtml(text.text ?? "") : escaped(text.expression)) +
      after
    );
  }
  return text.map(richTextHtml).join("");
}

const SGR: Readonly<Record<number, string>> = { 1: "b", 2: "dim", 3: "i", 4: "u", 7: "inverse", 9: "s" };

/** A line of a terminal with its styles and colours. */
export function ansiHtml(line: string): string {
  let classes = new Set<string>();
  let html = "";
  // What is no style, such as the links of terminals, is not shown.
  for (const part of line.split(/(\u001B\[[\d;]*m|\u001B\]8;[^\u0007\u001B]*(?:\u0007|\u001B\\))/)) {
    const codes = /^\u001B\[([\d;]*)m$/.exec(part)?.[1];
    if (codes !== undefined) classes = styled(classes, codes.split(";").map(Number));
    else if (part && !part.startsWith("\u001B"))
      html +=
        classes.size > 0 ? `<span class="${[...classes].join(" ")}">${escaped(part)}</span>` : escaped(part);
  }
  return html;
}

function styled(before: ReadonlySet<string>, codes: readonly number[]): Set<string> {
  const classes = new Set(before);
  for (const code of codes) {
    if (code === 0) classes.clear();
    else if (SGR[code]) classes.add(SGR[code]);
    else if (code >= 30 && code <= 37) classes.add(`c${code - 30}`);
    else if (code >= 90 && code <= 97) classes.add(`c${code - 90}`);
    else if (code === 22) for (const name of ["b", "dim"]) classes.delete(name);
    else if (code >= 23 && code <= 29) classes.delete(SGR[code - 20] ?? "");
    else if (code === 39)
      for (const name of [...classes].filter((one) => /^c\d$/.test(one))) classes.delete(name);
  }
  return classes;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escaped(text: string): string {
  return text.replace(/[\0-\x08\x0B-\x1F]/g, "").replace(/[&<>"]/g, (character) => ENTITIES[character] ?? "");
}

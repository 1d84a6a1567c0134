import type { Cell } from "../../../src/text/block.ts";
import { alignTable } from "../../../src/text/dialect/table.ts";
import { readTex } from "../../../src/text/parse/tex.ts";
import type { ClassicBody } from "./classic.ts";
import type { TelegramBody } from "./dialect.ts";
import { type MessageEntity, type MutableEntity, trimmed } from "./entities.ts";

/** A message as text with entities, read from its rich form if it has one. */
export function readable(body: TelegramBody): ClassicBody {
  return body.rich === undefined ? body : readRich(body.rich);
}

/** Converts the HTML of `printRich` to text with entities, for terminals and for servers that refuse rich messages. */
export function readRich(html: string): ClassicBody {
  const reader: Reader = { text: "", entities: [], open: [], lists: [], rows: undefined, fresh: true };
  for (const [token, end, name = "", attributes = ""] of html.matchAll(TOKENS)) {
    if (!name) write(reader, token);
    else if (end) close(reader, name);
    else open(reader, name, attributes);
  }
  return trimmed(reader);
}

const TOKENS = /<(\/?)([a-z0-9-]+)((?:[^<>a-z0-9-][^<>]*)?)>|[^<]+/g;

interface Reader {
  text: string;
  readonly entities: MutableEntity[];
  /** The open tags, each with the entity that it opened. */
  readonly open: { readonly name: string; readonly entity: MutableEntity | undefined }[];
  /** The open lists: for each the number of its next item, or undefined for bullets. */
  readonly lists: (number | undefined)[];
  /** The rows of the open table. */
  rows: string[][] | undefined;
  /** Whether the current line is empty but for markers. */
  fresh: boolean;
}

const TYPES: Readonly<Record<string, MessageEntity["type"]>> = {
  b: "bold",
  h: "bold",
  i: "italic",
  s: "strikethrough",
  "tg-spoiler": "spoiler",
  pre: "pre",
  code: "code",
  a: "text_link",
  blockquote: "blockquote",
};

function open(reader: Reader, name: string, attributes: string): void {
  const value = /"([^"]*)"/.exec(attributes)?.[1];
  if (BLOCK.test(name)) beginBlock(reader);
  if (name === "br") append(reader, "\n");
  else if (name === "hr") append(reader, "———");
  else if (name === "input") mark(reader, attributes.includes("checked") ? "☑ " : "☐ ");
  else if (name === "ol" || name === "ul") beginList(reader, name === "ol" ? Number(value) : undefined);
  else if (name === "li") beginItem(reader, value);
  else if (name === "table") reader.rows = [];
  else if (name === "tr") reader.rows?.push([]);
  else if (name === "td" || name === "th") beginCell(reader.rows ?? [], name);
  else reader.open.push({ name, entity: begin(reader, name, value) });
}

const BLOCK = /^(?:p|h[r1-6]|pre|blockquote|table|tg-math-block)$/;

function beginBlock(reader: Reader): void {
  if (!reader.fresh) reader.text += reader.lists.length > 0 ? `\n${indentOf(reader)}` : "\n\n";
  reader.fresh = true;
}

function indentOf({ lists }: Reader): string {
  return "  ".repeat(lists.length);
}

function beginList(reader: Reader, start: number | undefined): void {
  if (reader.lists.length === 0) beginBlock(reader);
  reader.lists.push(start);
}

function beginItem(reader: Reader, value: string | undefined): void {
  const { lists } = reader;
  const last = lists.length - 1;
  const number = value === undefined ? lists[last] : Number(value);
  if (number !== undefined) lists[last] = number + 1;
  if (!reader.fresh) reader.text += `\n${"  ".repeat(last)}`;
  mark(reader, number === undefined ? "• " : `${number}. `);
}

function mark(reader: Reader, marker: string): void {
  // A checkbox replaces the bullet.
  reader.text = reader.text.replace(/• $/, "") + marker;
  reader.fresh = true;
}

/** Begins a cell. A table without a head gets an empty one. */
function beginCell(rows: string[][], name: "td" | "th"): void {
  const row = rows.at(-1);
  if (name === "td" && rows.length === 1 && row?.length === 0) rows.unshift([]);
  row?.push("");
}

/** Begins the entity of a tag. In tables there is none, as they are monospaced as a whole. */
function begin(reader: Reader, name: string, value: string | undefined): MutableEntity | undefined {
  const parent = reader.open.at(-1);
  if (name === "code" && parent?.name === "pre") {
    if (parent.entity && value) parent.entity.language = value.replace(/^language-/, "");
    return undefined;
  }
  const type = TYPES[name.replace(/^h\d$/, "h")];
  const isNested = name === "blockquote" && reader.open.some((tag) => tag.name === name);
  if (!type || reader.rows || isNested) return undefined;
  const entity: MutableEntity = { type, offset: reader.text.length, length: 0 };
  if (name === "a") entity.url = unescapeHtml(value ?? "");
  reader.entities.push(entity);
  return entity;
}

function close(reader: Reader, name: string): void {
  if (name === "ol" || name === "ul") {
    reader.lists.pop();
    return;
  }
  if (name === "li") return;
  if (name === "table") {
    endTable(reader);
    return;
  }
  if (reader.open.at(-1)?.name !== name) return;
  const { entity } = reader.open.pop() ?? {};
  if (entity) entity.length = reader.text.length - entity.offset;
}

function endTable(reader: Reader): void {
  const rows = (reader.rows ?? []).map((row) => row.map((text): Cell => (text ? [{ text }] : [])));
  reader.rows = undefined;
  const [head = [], ...others] = rows;
  const lines = alignTable({ type: "table", align: [], head, rows: others }, Number.POSITIVE_INFINITY) ?? [];
  const offset = reader.text.length;
  append(reader, lines.join("\n"));
  reader.entities.push({ type: "pre", offset, length: reader.text.length - offset });
}

function write(reader: Reader, token: string): void {
  const isFormula = reader.open.at(-1)?.name.startsWith("tg-math");
  append(
    reader,
    isFormula ? readTex(token.replaceAll("\\lt ", "<").replaceAll("\\gt ", ">")) : unescapeHtml(token),
  );
}

function append(reader: Reader, text: string): void {
  const cells = reader.rows?.at(-1);
  if (cells) {
    cells.push(`${cells.pop() ?? ""}${text.replaceAll("\n", " ")}`);
    return;
  }
  reader.text += text;
  reader.fresh = false;
}

function unescapeHtml(html: string): string {
  return html.replace(/&(?:amp|lt|gt|quot|nbsp);/g, (reference) => CHARACTERS[reference] ?? reference);
}

const CHARACTERS: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&nbsp;": " ",
};

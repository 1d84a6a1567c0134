import type { Cell } from "../../../src/text/block.ts";
import { alignTable } from "../../../src/text/dialect/table.ts";
import { readTex } from "../../../src/text/parse/tex.ts";
import type { ClassicBody, TelegramBody } from "./dialect.ts";
import { type MessageEntity, trimmed } from "./entities.ts";

/** A message as text with entities, whatever form it is sent in. */
export function readable(body: TelegramBody): ClassicBody {
  return body.rich === undefined ? body : readRich(body.rich);
}

/** What `printRich` has written, for those who cannot see it: a terminal, or a server that refuses it. */
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

type Draft = { -readonly [field in keyof MessageEntity]: MessageEntity[field] };

interface Reader {
  text: string;
  readonly entities: Draft[];
  /** The tags that are not closed yet, and the formatting that they are. */
  readonly open: { readonly name: string; readonly draft: Draft | undefined }[];
  /** The lists that are not closed yet: the number of the next item, or undefined for a bullet. */
  readonly lists: (number | undefined)[];
  /** Of the table that is being read. */
  rows: string[][] | undefined;
  /** Nothing stands on this line yet but markers. */
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
  else reader.open.push({ name, draft: begin(reader, name, value) });
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
  // A box stands for the bullet.
  reader.text = reader.text.replace(/• $/, "") + marker;
  reader.fresh = true;
}

/** A table without a head has an empty one. */
function beginCell(rows: string[][], name: "td" | "th"): void {
  const row = rows.at(-1);
  if (name === "td" && rows.length === 1 && row?.length === 0) rows.unshift([]);
  row?.push("");
}

/** The formatting that a tag is; none in tables, which are monospaced as a whole. */
function begin(reader: Reader, name: string, value: string | undefined): Draft | undefined {
  const around = reader.open.at(-1);
  if (name === "code" && around?.name === "pre") {
    if (around.draft && value) around.draft.language = value.replace(/^language-/, "");
    return undefined;
  }
  const type = TYPES[name.replace(/^h\d$/, "h")];
  const isNested = name === "blockquote" && reader.open.some((tag) => tag.name === name);
  if (!type || reader.rows || isNested) return undefined;
  const draft: Draft = { type, offset: reader.text.length, length: 0 };
  if (name === "a") draft.url = unescapeHtml(value ?? "");
  reader.entities.push(draft);
  return draft;
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
  const { draft } = reader.open.pop() ?? {};
  if (draft) draft.length = reader.text.length - draft.offset;
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

/** Hebrew, Arabic and the other scripts that are written from right to left. */
const RIGHT_TO_LEFT = /^[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1eeff}]/u;

/** Whether the first letter, code and formulas aside, is of a script that is written from right to left. */
export function isRightToLeft(html: string): boolean {
  const text = html.replace(/<(code|pre|tg-math|tg-math-block)\b[^<>]*>[^<]*|<[^<>]*>|&\w+;/g, "");
  return RIGHT_TO_LEFT.test(/\p{L}/u.exec(text)?.[0] ?? "");
}

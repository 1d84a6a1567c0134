import type { StateBlock, StateInline, Token } from "markdown-it";
import type { Definition } from "../../block.ts";

/** A label has at most this many UTF-16 units. */
const MAX_LABEL = 200;

/**
 * An address longer than this, in UTF-16 units, is text: a link to it might not leave room for a single character on a
 * page.
 */
export const MAX_HREF = 1000;

const DEFINITION = /\[((?:\\.|[^\\[\]\n]){1,200})\]:[ \t]*(?=\S)/y;

/** `[label]: address "title"` on one line. References to it are resolved later, page by page. */
export function definition(state: StateBlock, startLine: number, _: number, silent: boolean): boolean {
  if ((state.sCount[startLine] ?? 0) - state.blkIndent >= 4) return false;
  DEFINITION.lastIndex = (state.bMarks[startLine] ?? 0) + (state.tShift[startLine] ?? 0);
  const found = DEFINITION.exec(state.src);
  const label = state.md.utils.normalizeReference(found?.[1] ?? "");
  if (!found || !label.trim() || label.startsWith("^")) return false;
  const href = addressIn(state, DEFINITION.lastIndex, state.eMarks[startLine] ?? 0);
  if (!href) return false;
  if (silent) return true;
  const token = state.push("definition", "", 1);
  token.meta = { label, href } satisfies Definition;
  token.content = `${found[0].trim()} `;
  token.map = [startLine, startLine + 1];
  const inline = state.push("inline", "", 0);
  inline.content = state.src.slice(found.index + found[0].length, state.eMarks[startLine]).trim();
  inline.children = [];
  state.push("definition_close", "", -1);
  state.line = startLine + 1;
  return true;
}

/** The address in the source from `start` to `end`, if only a title follows it. */
function addressIn({ md, src }: StateBlock, start: number, end: number): string | undefined {
  const found = md.helpers.parseLinkDestination(src, start, end);
  const href = found.ok ? md.normalizeLink(found.str) : "";
  const after = src.slice(found.pos, end);
  if (!href || href.length > MAX_HREF || !md.validateLink(href)) return undefined;
  return /^[ \t]*$|^[ \t]+(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\((?:\\.|[^()\\])*\))[ \t]*$/.test(after)
    ? href
    : undefined;
}

const FOOTNOTE = /\[(\^[^\s[\]^]{1,60})\]/y;

/** `[^label]`, a reference to a footnote. */
export function footnoteMark(state: StateInline, silent: boolean): boolean {
  if (!state.src.startsWith("[^", state.pos)) return false;
  FOOTNOTE.lastIndex = state.pos;
  const [found, name] = FOOTNOTE.exec(state.src) ?? [];
  if (!found || !name || state.pos + found.length > state.posMax) return false;
  if (!silent) pushMark(state, name);
  state.pos += found.length;
  return true;
}

/** A number is always shown as a reference; any other label may be a character class, until its footnote is found. */
function pushMark(state: StateInline, name: string): void {
  const shown = footnoteText(name);
  if (/^\[\d/.test(shown)) {
    state.push("text", "", 0).content = shown;
    return;
  }
  const label = state.md.utils.normalizeReference(name);
  state.push("text", "", 0).content = "[";
  setBracket(state.push("ref_open", "", 1), "^", label);
  state.push("ref_close", "", -1);
  state.push("text", "", 0).content = shown.slice(1);
}

/** The text shown for `^label`. */
export function footnoteText(name: string): string {
  return `[${name.slice(1)}]`;
}

const FULL = /\[((?:\\.|[^\\[\]]){0,200})\]/y;

/** `[text][label]`, `[label][]` and `[label]`: links if the label is defined somewhere, otherwise text. */
export function reference(state: StateInline, silent: boolean): boolean {
  const image = state.src[state.pos] === "!";
  const start = image ? state.pos + 1 : state.pos;
  // In silent mode markdown-it searches for links: a reference, which may turn out to be text, must not hide one.
  if (silent || state.linkLevel > 0 || state.src[start] !== "[") return false;
  const end = state.md.helpers.parseLinkLabel(state, start, !image);
  if (end < 0) return false;
  const text = state.src.slice(start + 1, end);
  const [closing, label] = labelBehind(state, end, text);
  if (!label) return false;
  pushReference(state, { start, end, label, closing });
  state.pos = end + closing.length;
  return true;
}

/** The closing bracket with its label part, and the label; the label is empty if this cannot be a reference. */
function labelBehind(state: StateInline, end: number, text: string): [closing: string, label: string] {
  FULL.lastIndex = end + 1;
  const full = FULL.exec(state.src);
  const isFull = full && FULL.lastIndex <= state.posMax;
  const name = isFull && full[1]?.trim() ? full[1] : text;
  // Empty brackets and task boxes are no references, and a label contains no brackets.
  const isLabel = name.length <= MAX_LABEL && !/^[xX]?$/.test(name.trim()) && !/(?<!\\)[[\]]/.test(name);
  return [isFull ? `]${full[0]}` : "]", isLabel ? state.md.utils.normalizeReference(name) : ""];
}

interface Reference {
  readonly start: number;
  readonly end: number;
  readonly label: string;
  readonly closing: string;
}

function pushReference(state: StateInline, { start, end, label, closing }: Reference): void {
  // The brackets of `[1]` are part of its text.
  const isNumber = closing === "]" && /^\d+$/.test(label);
  setBracket(state.push("ref_open", "", 1), isNumber ? "" : state.src.slice(state.pos, start + 1), label);
  if (isNumber) state.push("text", "", 0).content = `[${label}]`;
  else tokenize(state, start + 1, end);
  setBracket(state.push("ref_close", "", -1), isNumber ? "" : closing, label);
}

function tokenize(state: StateInline, start: number, end: number): void {
  const { posMax } = state;
  state.pos = start;
  state.posMax = end;
  state.linkLevel += 1;
  state.md.inline.tokenize(state);
  state.linkLevel -= 1;
  state.posMax = posMax;
}

function setBracket(token: Token, content: string, label: string): void {
  token.content = content;
  token.meta = { label };
}

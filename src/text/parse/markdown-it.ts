import createMarkdownIt, {
  type MarkdownIt,
  type StateBlock,
  type StateCore,
  type StateInline,
  type Token,
} from "markdown-it";
import cjkFriendly from "markdown-it-cjk-friendly";
import { footnote } from "./footnote.ts";
import { completeInline, endsIncomplete } from "./incomplete.ts";
import { htmlTag } from "./html.ts";
import { blockMath, inlineMath } from "./math.ts";
import { definition, footnoteMark, reference } from "./reference.ts";
import { LONG_LINE, settledLength, segmentEnds, MIN_SEGMENT } from "./segment.ts";
import { spoiler, text } from "./spoiler.ts";

/** What is parsed: a whole text, or what is known of one that still grows. */
export interface Source {
  readonly text: string;
  /** "settled": only what no later text can change; "growing": half-written marks at the end are completed. */
  readonly mode: "whole" | "settled" | "growing";
  /** So many characters at the beginning are there only to say that a paragraph goes on. */
  readonly sentinel?: number;
}

/** The tokens of markdown-it; a long inline token comes in several pieces. */
export interface Parsed {
  readonly tokens: readonly Token[];
  /** In mode "settled": how many characters of the last paragraph are settled. */
  readonly settledChars: number;
}

/** Quotes and lists nested deeper than this many tokens are shown as text: markdown-it would lose them. */
const MAX_DEPTH = 120;

type BlockRule = (state: StateBlock, startLine: number, endLine: number, silent: boolean) => boolean;

/** What the rules interrupt: to replace a rule is to say it anew. */
const INTERRUPTS = {
  blockquote: ["paragraph", "blockquote", "list"],
  list: ["paragraph", "blockquote"],
  table: ["paragraph"],
  lheading: [],
};

const md = createParser();

/** Parses Markdown into tokens. */
export function parseTokens(source: Source): Parsed {
  const env = { source, settledChars: 0 };
  const tokens = md.parse(source.text, env);
  return { tokens, settledChars: env.settledChars };
}

/** Character references and backslashes mean behind a fence what they mean elsewhere. */
export function unescaped(info: string): string {
  return md.utils.unescapeAll(info);
}

function createParser(): MarkdownIt {
  const parser = createMarkdownIt({ html: false, linkify: true, maxNesting: 1000 });
  // What is shown shall be what was written, not a decoded address.
  parser.normalizeLinkText = (url) => url;
  // Bare names such as "main.py" are no links; "https://…", "www.…" and mail addresses are, as in GFM.
  parser.linkify.set({ fuzzyLink: false });
  addWww(parser);
  limit(parser, "blockquote", notTooDeep);
  limit(parser, "list", notTooDeep);
  limit(parser, "table", canBeHead, asWritten);
  limit(parser, "lheading", isShort);
  // What later lines define must not change what stands far before them: references are resolved page by page.
  parser.block.ruler.at("reference", definition, { alt: [] });
  parser.block.ruler.before("reference", "footnote", footnote, { alt: ["paragraph", "blockquote", "list"] });
  parser.block.ruler.before("fence", "math", blockMath, { alt: ["paragraph", "blockquote", "list"] });
  parser.inline.ruler.at("text", text);
  parser.inline.ruler.before("escape", "math", inlineMath);
  parser.inline.ruler.before("link", "spoiler", spoiler);
  parser.inline.ruler.before("link", "heap_of_brackets", heapOfBrackets);
  parser.inline.ruler.after("image", "footnote_mark", footnoteMark);
  parser.inline.ruler.after("footnote_mark", "reference", reference);
  parser.inline.ruler.before("autolink", "html_tag", htmlTag);
  parser.use(cjkFriendly);
  parser.core.ruler.after("block", "excess_cells", keepExcessCells);
  parser.core.ruler.after("excess_cells", "segments", splitInline);
  return parser;
}

function addWww(parser: MarkdownIt): void {
  parser.linkify.add("www.", {
    validate: (text, pos) =>
      /^(?:[\w-]+\.)+[a-z]{2,}(?:[/?#][^\s<]*[^\s<.,;:!?'")\]*_~])?/i.exec(text.slice(pos, pos + 2000))?.[0]
        .length ?? 0,
    normalize: (match) => {
      match.url = `http://${match.url}`;
    },
  });
}

type Condition = (state: StateBlock, line: number) => boolean;

/** Puts a condition before a block rule; `run` runs it. */
function limit(
  parser: MarkdownIt,
  name: keyof typeof INTERRUPTS,
  allowed: Condition,
  run: (rule: BlockRule) => BlockRule = (rule) => rule,
): void {
  const { ruler } = createMarkdownIt("zero").block;
  ruler.enableOnly([name]);
  const [found] = ruler.getRules("");
  const rule = found && run(found);
  const limited: BlockRule = (state, startLine, endLine, silent) =>
    allowed(state, startLine) && (rule?.(state, startLine, endLine, silent) ?? false);
  parser.block.ruler.at(name, limited, { alt: INTERRUPTS[name] });
}

function notTooDeep(state: StateBlock): boolean {
  return state.level < MAX_DEPTH;
}

/**
 * A line that is long enough to be shown before it ends must not turn out to be the head of a table. Neither is
 * one that begins something else: markdown-it looks for tables first.
 */
function canBeHead(state: StateBlock, line: number): boolean {
  const [start, end] = [state.bMarks[line] ?? 0, state.eMarks[line] ?? 0];
  const text = state.src.slice(start + (state.tShift[line] ?? 0), end);
  return end - start <= LONG_LINE && !BEGINS.test(text) && text.split("|").length <= MAX_COLUMNS + 2;
}

/**
 * A head with more columns is text. markdown-it gives each row as many cells as the head has, and ends a table for which
 * it has made up 65,536: it never comes to that within the part of a text that is read at once.
 */
const MAX_COLUMNS = 32;

/** A row gets no more cells than its line can have: two characters must not become a row of 32. */
function asWritten(rule: BlockRule): BlockRule {
  return (state, startLine, endLine, silent) => {
    const push = state.push.bind(state);
    const unwritten = new state.Token("", "", 0);
    let row: Token | undefined;
    let left = 0;
    state.push = (type, tag, nesting) => {
      if (type === "td_open") {
        if (row) left = mostCells(state, row.map?.[0] ?? 0);
        row = undefined;
        left -= 1;
      }
      if (left < 0 && (type === "td_open" || type === "inline" || type === "td_close")) return unwritten;
      const token = push(type, tag, nesting);
      if (type === "tr_open") row = token;
      if (type === "tr_close") left = 0;
      return token;
    };
    const found = rule(state, startLine, endLine, silent);
    state.push = push;
    return found;
  };
}

function mostCells(state: StateBlock, line: number): number {
  return state.src.slice(state.bMarks[line], state.eMarks[line]).split("|").length;
}

/** An item, a quote, a heading or a block of code. */
const BEGINS = /^(?:[-+*][ \t]|\d{1,9}[.)][ \t]|>|#{1,6}[ \t]|~{3}|`{3,}[^`]*$)/;

/** No heading has more lines: to look for its underline must not take long where every line may begin a heading. */
const MAX_HEADING_LINES = 30;

/**
 * A line below a paragraph makes it a heading only as long as nothing of the paragraph can have been settled:
 * so long as it is not cut into pieces.
 */
function isShort(state: StateBlock, line: number): boolean {
  const { source } = state.env as unknown as { source: Source };
  if (line === 0 && source.sentinel) return false;
  const end = Math.min(state.lineMax, line + 1 + MAX_HEADING_LINES);
  for (let next = line + 1; next < end && !state.isEmpty(next); next++) {
    const [start, end] = [(state.bMarks[next] ?? 0) + (state.tShift[next] ?? 0), state.eMarks[next]];
    if ((state.bMarks[next] ?? 0) - (state.bMarks[line] ?? 0) > 4 * MIN_SEGMENT) return false;
    if (!/^(?:=+|-+)[ \t]*$/.test(state.src.slice(start, end))) continue;
    return state.getLines(line, next, state.blkIndent, false).trim().length <= MIN_SEGMENT;
  }
  return false;
}

/** A bracket within which this many others open, one in the other, is text: to look for its end takes quadratic time. */
const MAX_BRACKETS = 20;

/** The brackets that are text, by the text that they stand in. */
const heaps = new WeakMap<StateInline, ReadonlySet<number>>();

function heapOfBrackets(state: StateInline, silent: boolean): boolean {
  const char = state.src[state.pos];
  const length = char === "!" ? 2 : 1;
  const bracket = state.pos + length - 1;
  if ((char !== "[" && char !== "!") || state.src[bracket] !== "[") return false;
  let heap = heaps.get(state);
  if (!heap) heaps.set(state, (heap = bracketsAroundMany(state.src)));
  if (!heap.has(bracket)) return false;
  if (!silent) state.pending += state.src.slice(state.pos, state.pos + length);
  state.pos += length;
  return true;
}

function bracketsAroundMany(src: string): Set<number> {
  const found = new Set<number>();
  const open: { readonly at: number; depth: number }[] = [];
  const close = () => {
    const { at, depth } = open.pop() ?? { at: 0, depth: 0 };
    if (depth >= MAX_BRACKETS) found.add(at);
    const outer = open.at(-1);
    if (outer) outer.depth = Math.max(outer.depth, depth + 1);
  };
  for (const { 0: char, index } of src.matchAll(/\\[^]|[[\]]/g)) {
    if (char === "[") open.push({ at: index, depth: 0 });
    else if (char === "]") close();
  }
  while (open.length > 0) close();
  return found;
}

/** markdown-it drops cells beyond those of the head, such as the ends of `a || b`: they join the last cell. */
function keepExcessCells(state: StateCore): void {
  let lines: string[] | undefined;
  let columns = 0;
  state.tokens.forEach((token, index) => {
    if (token.type === "table_open") columns = 0;
    if (token.type === "th_open") columns += 1;
    // The head has as many as it has; its line may begin with the mark of an item.
    if (token.type !== "tr_close" || state.tokens[index - 1]?.type !== "td_close") return;
    const row = rowStart(state.tokens, index);
    const line = row?.map?.[0];
    const last = state.tokens[index - 2];
    if (line === undefined || last?.type !== "inline") return;
    lines ??= state.src.split("\n");
    const cells = cellsOf(lines[line] ?? "");
    if (cells.slice(columns).some((cell) => cell.trim())) {
      last.content = cells
        .slice(columns - 1)
        .join("|")
        .replaceAll("\\|", "|")
        .trim();
    }
  });
}

function rowStart(tokens: readonly Token[], end: number): Token | undefined {
  for (let i = end; i >= 0; i--) if (tokens[i]?.type === "tr_open") return tokens[i];
  return undefined;
}

function cellsOf(line: string): string[] {
  const cells = line
    .replace(/^[\s>]+/, "")
    .trimEnd()
    .split(/(?<!\\)\|/);
  if (cells[0] === "") cells.shift();
  if (cells.at(-1) === "") cells.pop();
  return cells;
}

/** Cuts long inline tokens into pieces, so that the beginning of a long paragraph can be settled. */
function splitInline(state: StateCore): void {
  const { source } = state.env as unknown as { source: Source };
  const last = lastInline(state.tokens);
  let sentinel = source.sentinel ?? 0;
  state.tokens = state.tokens.flatMap((token) => {
    if (token.type !== "inline") return [token];
    const long = token.content.length - token.content.lastIndexOf("\n") > LONG_LINE;
    token.content = token.content.slice(sentinel);
    sentinel = 0;
    if (token === last && source.mode === "settled") {
      const known = long ? token.content.length : settledLength(token.content);
      const end = segmentEnds(token.content.slice(0, known), endsIncomplete).at(-1) ?? 0;
      token.content = token.content.slice(0, end);
      state.env["settledChars"] = end;
    }
    return pieces(token, token === last && source.mode === "growing");
  });
}

/** The inline token that the text ends with, if it ends with one. */
function lastInline(tokens: readonly Token[]): Token | undefined {
  const last = tokens.findLast((token) => token.nesting !== -1);
  return last?.type === "inline" ? last : undefined;
}

function pieces(token: Token, growing: boolean): Token[] {
  const { content } = token;
  const cuts = segmentEnds(content, endsIncomplete);
  if (cuts.length === 0) {
    token.content = content.replace(/^[ \t]+/, "");
    if (growing) token.content = completeInline(token.content);
    return [token];
  }
  const ends = [...cuts, content.length];
  return ends.map((end, index) => {
    const start = ends[index - 1] ?? 0;
    const piece = Object.assign(Object.create(Object.getPrototypeOf(token)) as Token, token, {
      children: [],
    });
    piece.content = content.slice(start, end);
    if (start === 0 || content[start - 1] === "\n") piece.content = piece.content.replace(/^[ \t]+/, "");
    if (growing && index === ends.length - 1) piece.content = completeInline(piece.content);
    return piece;
  });
}

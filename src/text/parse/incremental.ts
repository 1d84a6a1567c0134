import type { Steps } from "../../system/slices.ts";
import type { Block } from "../block.ts";
import { drop } from "../cut.ts";
import { join } from "../join.ts";
import { sizeOf } from "../size.ts";
import { hideMarks } from "./incomplete.ts";
import { type Node, toBlocks, toTree } from "./markdown.ts";
import { parseTokens } from "./markdown-it.ts";
import { lineAt, lineStarts } from "./lines.ts";
import { resumeInCode, resumeInside } from "./resume.ts";
import { BEGINNING, markContinued, type Start } from "./start.ts";
import { cleanSource } from "./source.ts";
import { isVisible } from "../visible.ts";

/** Parses a text that is still arriving: each call passes the text of the call before, with more appended. */
export interface IncrementalParser {
  /** Returns the blocks that are newly settled, and does not parse the text after them. */
  settle(text: string): Steps<readonly Block[]>;
  /** Returns the blocks that are newly settled, and the text after them as blocks that may still change. */
  read(text: string, ended: boolean): Steps<Reading>;
}

export interface Reading {
  /** Blocks that no later text can change and that no earlier call returned; the first may continue one that was. */
  readonly settled: readonly Block[];
  /** The blocks that follow and may still change. */
  readonly unsettled: readonly Block[];
}

/**
 * A block is ended by force if none of it is settled within this many UTF-16 units. Unsettled text is parsed again
 * whenever more arrives, and that must not take long.
 */
const MAX_UNSETTLED = 6144;

/**
 * A line of code longer than this, in UTF-16 units, is no fence, and may be cut where a code block is ended by force.
 */
const LONG_CODE_LINE = 1000;

/**
 * Creates a parser whose results depend on the text alone, not on the chunks in which it arrived. A block is settled
 * when another follows. The last block, and the last one nested in it, is settled up to its last item, row, line of
 * code or segment of a paragraph. The work of a call is proportional to the text that is not settled.
 */
export function createIncrementalParser(): IncrementalParser {
  let start = BEGINNING;
  /** How much of the text was read, in UTF-16 units. */
  let seen = 0;
  /** The part of it that is not settled, cleaned. */
  let source = "";
  return {
    settle: (text) => append(text, false, settle),
    read: function* (text, ended) {
      if (ended) return { settled: yield* append(text, true, finish), unsettled: [] };
      const settled = yield* append(text, false, settle);
      yield;
      const { blocks } = yield* parse(start, source, "incomplete");
      return { settled, unsettled: drop(blocks, start.emitted) };
    },
  };

  /** Reads more text, then runs `rest`. The unsettled part never exceeds `MAX_UNSETTLED` units. */
  function* append(
    text: string,
    ended: boolean,
    rest: () => Steps<readonly Block[]>,
  ): Steps<readonly Block[]> {
    // Half a pair at the end waits for its other half.
    const end = ended || !isHalf(text, text.length) ? text.length : text.length - 1;
    let settled: readonly Block[] = [];
    while (seen < end) {
      const room = seen + MAX_UNSETTLED - source.length;
      const next = room < end && isHalf(text, room) ? room + 1 : Math.min(room, end);
      source += cleanSource(text.slice(seen, next));
      seen = next;
      if (source.length < MAX_UNSETTLED) continue;
      settled = join(settled, yield* settle());
      yield;
      if (source.length < MAX_UNSETTLED) continue;
      settled = join(settled, yield* force());
      yield;
    }
    return join(settled, yield* rest());
  }

  function* settle(): Steps<readonly Block[]> {
    const known = yield* parse(start, source.slice(0, stableEnd(source)), "settled");
    const settled = drop(known.blocks, start.emitted);
    advance(known);
    return settled;
  }

  function* finish(): Steps<readonly Block[]> {
    const { blocks } = yield* parse(start, source, "whole");
    const settled = drop(blocks, start.emitted);
    start = BEGINNING;
    source = "";
    return settled;
  }

  /** Moves the start past the settled text, to the last position where parsing can resume. */
  function advance({ tail, tree, settledChars }: Parse): void {
    const node = tree.at(-1);
    if (!node?.token.map) return;
    const isSame = tree.length === 1;
    const lines = lineStarts(tail);
    const inside = resumeInside({ tail, lines, settledChars, node, start: isSame ? start : undefined });
    const emitted = sizeOf(toBlocks([node], true));
    const position =
      inside?.position ?? (isSame ? start.before.length : lineAt({ tail, lines }, node.token.map[0]));
    source = source.slice(position - start.before.length);
    start = inside ?? (isSame ? { ...start, emitted } : { ...BEGINNING, emitted });
  }

  /** Settles text that is not settled by itself. A code block continues after it; any other block ends. */
  function* force(): Steps<readonly Block[]> {
    const end = endOfCode(source);
    const code = yield* codeAt(start, source.slice(0, end));
    const length = code ? end : endOfWords(source);
    yield;
    const { blocks } = yield* parse(start, source.slice(0, length), "whole");
    const settled = drop(blocks, start.emitted);
    source = source.slice(length);
    start = code ?? BEGINNING;
    return settled;
  }
}

/** Whether a position is between the halves of a surrogate pair or of a line break. */
function isHalf(text: string, position: number): boolean {
  return /[\r\ud800-\udbff]/.test(text.charAt(position - 1));
}

/** Where to end code by force: after a long line, or before a short one, which may become a fence. */
function endOfCode(source: string): number {
  const lineBreak = source.lastIndexOf("\n");
  return source.length - lineBreak > LONG_CODE_LINE ? source.length : lineBreak;
}

/** The end of the last whole line, or of the last word if there is only one line. */
function endOfWords(source: string): number {
  const end = Math.max(source.lastIndexOf("\n"), source.includes("\n") ? 0 : source.lastIndexOf(" ")) + 1;
  return end > 0 ? end : source.length;
}

/** Where parsing resumes after a text that ends in an open code block; undefined if it does not. */
function* codeAt(start: Start, source: string): Steps<Start | undefined> {
  const { tail, tree } = yield* parse(start, source, "whole");
  const node = tree.at(-1);
  if (!node) return undefined;
  return resumeInCode({
    tail,
    lines: lineStarts(tail),
    settledChars: 0,
    node,
    start: tree.length === 1 ? start : undefined,
  });
}

interface Parse {
  /** The text that was parsed, with the source that reopens its containers. */
  readonly tail: string;
  readonly tree: readonly Node[];
  readonly blocks: readonly Block[];
  readonly settledChars: number;
}

function* parse(start: Start, source: string, mode: "whole" | "settled" | "incomplete"): Steps<Parse> {
  const tail = start.before + (mode === "incomplete" ? hideMarks(source) : source);
  const { tokens, settledChars } = parseTokens({ text: tail, mode, sentinel: start.sentinel });
  yield;
  const tree = toTree(tokens);
  const shown = tree.filter((node, index) => !isBlank(node) || mayGoOn(index));
  return { tail, tree, settledChars, blocks: markContinued(toBlocks(shown, mode === "settled"), start) };

  function mayGoOn(index: number): boolean {
    const isGoingOn = start.emitted > 0 || start.continues || start.spine.length > 0;
    return (index === 0 && isGoingOn) || index === tree.length - 1;
  }
}

/** A paragraph with more UTF-16 units than this counts as visible. */
const MAX_BLANK = 100;

/**
 * Whether a paragraph is blank, such as `&nbsp;`. Blank ones are left out: they take no room and would never fill a
 * page.
 */
function isBlank(node: Node): boolean {
  const [inline] = node.children;
  const length = inline?.token.type === "inline" ? inline.token.content.length : 0;
  return node.token.type === "paragraph_open" && length <= MAX_BLANK && !isVisible(toBlocks([node], false));
}

/** The end of the text whose kind is certain: whole lines, and a last line with text after its marks. */
function stableEnd(source: string): number {
  const start = source.lastIndexOf("\n") + 1;
  const line = source.slice(start);
  const marks = line.search(DECIDED);
  // The text after backticks may still contain another one, and then this is no fence.
  return marks >= 0 && !line.slice(0, marks).includes("```") ? source.length : start;
}

/** A character that cannot belong to the marks at the beginning of a line. */
const DECIDED = /[^\s\d#>*+\-_=~`|:.)\\$[\]]/;

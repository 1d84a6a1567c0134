import type { StateBlock, StateInline, Token } from "markdown-it";
import { MAX_FORMULA, readTex } from "../tex.ts";

/**
 * Inline formulas, in which `_`, `*` and `\` have their LaTeX meaning. Text between dollars must look like a formula and
 * not like two prices. The maximum lengths keep the search linear.
 */
const INLINE = [
  /\$\$[^$`]{1,500}\$\$/y,
  /\$(?![\s$])[^$`\n]{0,299}[^$`\n\s\\]\$(?!\d)/y,
  /\\\((?:[^\\]|\\[^()]){1,500}\\\)/y,
  /\\\[(?:[^\\]|\\[^[\]]){1,500}\\\]/y,
];

/** `$x$`, `$$x$$`, `\(x\)` and `\[x\]` within a paragraph. */
export function inlineMath(state: StateInline, silent: boolean): boolean {
  const char = state.src[state.pos];
  if (char !== "$" && char !== "\\") return false;
  const source = INLINE.map((pattern) => matchAt(pattern, state)).find(isFormula);
  if (!source || state.pos + source.length > state.posMax) return false;
  if (!silent) setFormula(state.push("math", "", 0), source.replace(DELIMITERS, ""));
  state.pos += source.length;
  return true;
}

const DELIMITERS = /^(?:\$\$?|\\[([])|(?:\$?\$|\\[)\]])$/g;

/** Control characters have no meaning in LaTeX, and would separate what belongs together: `_` from its subscript. */
const CONTROLS = /(?![\n\t])\p{Cc}/gu;

/** Stores the formula in `meta.tex`, and its plain-text form as the content of the token. */
function setFormula(token: Token, source: string): void {
  const tex = source.replace(CONTROLS, "");
  token.content = readTex(tex);
  token.meta = { tex: tex.trim() };
}

function matchAt(pattern: RegExp, state: StateInline): string | undefined {
  pattern.lastIndex = state.pos;
  return pattern.exec(state.src)?.[0];
}

function isFormula(source: string | undefined): boolean {
  if (!source || source.includes("**") || source.includes("](")) return false;
  // `\[1\]` are escaped brackets.
  return !source.startsWith("\\[") || /\\[A-Za-z]|[\^_={}+]|^\s/.test(source.slice(2, -2));
}

/**
 * A displayed formula: a line of only `$$` or `\[` opens it, and `$$` or `\]` closes it. It is text if a blank line comes
 * first, because the kind of the lines must be known early, or if it is very long.
 */
export function blockMath(state: StateBlock, startLine: number, endLine: number, silent: boolean): boolean {
  if ((state.sCount[startLine] ?? 0) - state.blkIndent >= 4) return false;
  const opening = lineOf(state, startLine);
  if (opening !== "$$" && opening !== "\\[") return false;
  if (silent) return true;
  const closing = opening === "$$" ? "$$" : "\\]";
  let line = startLine + 1;
  let closed = false;
  while (line < endLine && !closed && !state.isEmpty(line) && (state.sCount[line] ?? 0) >= state.blkIndent) {
    closed = lineOf(state, line++).endsWith(closing);
  }
  const source = state.getLines(startLine, line, state.blkIndent, false);
  const token = state.push("math_block", "", 0);
  token.map = [startLine, line];
  token.content = source;
  if (closed && source.length <= MAX_FORMULA) setFormula(token, source.trim().replace(DELIMITERS, ""));
  state.line = line;
  return true;
}

function lineOf(state: StateBlock, line: number): string {
  return state.src.slice((state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0), state.eMarks[line]).trim();
}

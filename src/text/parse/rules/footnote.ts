import type { StateBlock } from "markdown-it";
import type { Definition } from "../../block.ts";
import { footnoteText } from "./reference.ts";

const LABEL = /\[(\^[^\s[\]^]{1,60})\]:[ \t]*/y;

/** `[^label]: text` and the indented lines below it. */
export function footnote(state: StateBlock, startLine: number, endLine: number, silent: boolean): boolean {
  if ((state.sCount[startLine] ?? 0) - state.blkIndent >= 4) return false;
  LABEL.lastIndex = (state.bMarks[startLine] ?? 0) + (state.tShift[startLine] ?? 0);
  const [found, name] = LABEL.exec(state.src) ?? [];
  if (!found || !name || LABEL.lastIndex > (state.eMarks[startLine] ?? 0)) return false;
  if (silent) return true;
  const { lastIndex } = LABEL;
  const open = state.push("footnote_open", "", 1);
  const label = state.md.utils.normalizeReference(name);
  open.content = footnoteText(name);
  open.meta = { label, href: "" } satisfies Definition;
  open.map = [startLine, startLine];
  within(state, startLine, () => {
    state.bMarks[startLine] = lastIndex;
    state.tShift[startLine] = 0;
    state.sCount[startLine] = state.blkIndent;
    state.md.block.tokenize(state, startLine, endLine);
  });
  open.map[1] = state.line;
  state.push("footnote_close", "", -1);
  return true;
}

/**
 * Runs an action with an indentation of four columns for the lines of the footnote, then restores the state of its
 * first line.
 */
function within(state: StateBlock, line: number, action: () => void): void {
  const { parentType, blkIndent } = state;
  const [mark, shift, count] = [state.bMarks[line] ?? 0, state.tShift[line] ?? 0, state.sCount[line] ?? 0];
  state.blkIndent += 4;
  state.parentType = "list";
  action();
  state.blkIndent = blkIndent;
  state.parentType = parentType;
  [state.bMarks[line], state.tShift[line], state.sCount[line]] = [mark, shift, count];
}

import type { StateBlock } from "markdown-it";
import { MIN_SEGMENT } from "../segment.ts";
import type { Source } from "../source.ts";

/**
 * A heading has at most this many lines; without a limit, every line would search all lines after it for an underline.
 */
const MAX_LINES = 30;

/**
 * Whether a paragraph is short enough to become a heading by an underline: nothing of it may have been settled, so it
 * must not be long enough to be cut into segments.
 */
export function canBeUnderlined(state: StateBlock, line: number): boolean {
  const { source } = state.env as unknown as { source: Source };
  if (line === 0 && source.sentinel) return false;
  const end = Math.min(state.lineMax, line + 1 + MAX_LINES);
  for (let next = line + 1; next < end && !state.isEmpty(next); next++) {
    const [start, end] = [(state.bMarks[next] ?? 0) + (state.tShift[next] ?? 0), state.eMarks[next]];
    if ((state.bMarks[next] ?? 0) - (state.bMarks[line] ?? 0) > 4 * MIN_SEGMENT) return false;
    if (!/^(?:=+|-+)[ \t]*$/.test(state.src.slice(start, end))) continue;
    return state.getLines(line, next, state.blkIndent, false).trim().length <= MIN_SEGMENT;
  }
  return false;
}

import type { StateCore, Token } from "markdown-it";
import { completeInline, endsIncomplete } from "./incomplete.ts";
import { LONG_LINE, segmentEnds, settledLength } from "./segment.ts";
import type { Source } from "./source.ts";

/** Splits long inline tokens into segments, so that the beginning of a long paragraph can be settled. */
export function splitInline(state: StateCore): void {
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
    return segmentsOf(token, { isIncomplete: token === last && source.mode === "incomplete" });
  });
}

/** The inline token at the end of the text; undefined if the text ends with another one. */
function lastInline(tokens: readonly Token[]): Token | undefined {
  const last = tokens.findLast((token) => token.nesting !== -1);
  return last?.type === "inline" ? last : undefined;
}

function segmentsOf(token: Token, { isIncomplete }: { readonly isIncomplete: boolean }): Token[] {
  const { content } = token;
  const cuts = segmentEnds(content, endsIncomplete);
  if (cuts.length === 0) {
    token.content = content.replace(/^[ \t]+/, "");
    if (isIncomplete) token.content = completeInline(token.content);
    return [token];
  }
  const ends = [...cuts, content.length];
  return ends.map((end, index) => {
    const start = ends[index - 1] ?? 0;
    const segment = Object.assign(Object.create(Object.getPrototypeOf(token)) as Token, token, {
      children: [],
    });
    segment.content = content.slice(start, end);
    if (start === 0 || content[start - 1] === "\n") segment.content = segment.content.replace(/^[ \t]+/, "");
    if (isIncomplete && index === ends.length - 1) segment.content = completeInline(segment.content);
    return segment;
  });
}

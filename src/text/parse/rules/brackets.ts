import type { StateInline } from "markdown-it";

/** A bracket that contains brackets nested this deep is text: finding its end would take quadratic time. */
const MAX_NESTED = 20;

/** The positions of such brackets, by the text that contains them. */
const nestedBrackets = new WeakMap<StateInline, ReadonlySet<number>>();

/** Takes a bracket with too many brackets nested in it as text. */
export function nestedBracket(state: StateInline, silent: boolean): boolean {
  const char = state.src[state.pos];
  const length = char === "!" ? 2 : 1;
  const bracket = state.pos + length - 1;
  if ((char !== "[" && char !== "!") || state.src[bracket] !== "[") return false;
  let nested = nestedBrackets.get(state);
  if (!nested) nestedBrackets.set(state, (nested = findNested(state.src)));
  if (!nested.has(bracket)) return false;
  if (!silent) state.pending += state.src.slice(state.pos, state.pos + length);
  state.pos += length;
  return true;
}

function findNested(src: string): Set<number> {
  const found = new Set<number>();
  const open: { readonly at: number; depth: number }[] = [];
  const close = () => {
    const { at, depth } = open.pop() ?? { at: 0, depth: 0 };
    if (depth >= MAX_NESTED) found.add(at);
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

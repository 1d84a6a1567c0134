import type { StateInline } from "markdown-it";

/** The text rule of markdown-it, which also stops at `|`. */
export function text(state: StateInline, silent: boolean): boolean {
  PLAIN.lastIndex = state.pos;
  const found = PLAIN.exec(state.src)?.[0].slice(0, state.posMax - state.pos);
  if (!found) return false;
  if (!silent) state.pending += found;
  state.pos += found.length;
  return true;
}

const PLAIN = /[^\n!#$%&*+\-:<=>@[\\\]^_`{|}~]+/y;

/** `||hidden until tapped||` */
export function spoiler(state: StateInline, silent: boolean): boolean {
  const { pos, posMax: max, src } = state;
  if (!src.startsWith("||", pos)) return false;
  const end = src.indexOf("||", pos + 2);
  if (end < 0 || end + 2 > max || !/^[^\s|](?:.*[^\s|])?$/s.test(src.slice(pos + 2, end))) return false;
  if (!silent) {
    state.push("spoiler_open", "", 1);
    state.pos = pos + 2;
    state.posMax = end;
    state.md.inline.tokenize(state);
    state.posMax = max;
    state.push("spoiler_close", "", -1);
  }
  state.pos = end + 2;
  return true;
}

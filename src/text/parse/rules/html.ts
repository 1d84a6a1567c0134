import type { StateInline } from "markdown-it";
import { script } from "../tex.ts";

/** A line break tag, with a line break right after it: together they are one break. */
const BREAK = /<br\s{0,3}\/?>[ \t]*\n?[ \t]*/iy;

const OPENING = /<(b|strong|i|em|s|del|strike|code|kbd|samp|sub|sup|u|ins|mark|small)>/iy;

/** How far to search for the closing tag, in UTF-16 units. */
const REACH = 1000;

/** The style of each tag. Tags without one are left out and their content is shown. */
const STYLES: Readonly<Record<string, string>> = {
  b: "strong",
  strong: "strong",
  i: "em",
  em: "em",
  s: "s",
  del: "s",
  strike: "s",
};

/**
 * `<br>`, and pairs of tags such as `<sub>…</sub>` that models write because Markdown lacks a mark. All other HTML is
 * text.
 */
export function htmlTag(state: StateInline, silent: boolean): boolean {
  if (state.src[state.pos] !== "<") return false;
  const found = matchAt(BREAK, state);
  if (!found) return htmlPair(state, silent);
  if (!silent) {
    state.pending = state.pending.trimEnd();
    state.push("hardbreak", "br", 0);
  }
  state.pos += found.length;
  return true;
}

function matchAt(pattern: RegExp, { src, pos, posMax }: StateInline): string | undefined {
  pattern.lastIndex = pos;
  const found = pattern.exec(src)?.[0];
  return found && pos + found.length <= posMax ? found : undefined;
}

function htmlPair(state: StateInline, silent: boolean): boolean {
  const opening = matchAt(OPENING, state);
  if (!opening) return false;
  const name = opening.slice(1, -1).toLowerCase();
  const start = state.pos + opening.length;
  const within = state.src.slice(start, Math.min(state.posMax, start + REACH));
  const length = within.toLowerCase().indexOf(`</${name}>`);
  if (length <= 0) return false;
  if (!silent) pushPair(state, name, [start, start + length]);
  state.pos = start + length + name.length + 3;
  return true;
}

function pushPair(state: StateInline, name: string, [start, end]: [number, number]): void {
  const text = state.src.slice(start, end);
  if ((name === "sub" || name === "sup") && !/[<*_~`[\\&]/.test(text)) {
    state.push("text", "", 0).content = script(name === "sub" ? "_" : "^", text);
    return;
  }
  if (["code", "kbd", "samp"].includes(name)) {
    state.push("code_inline", "code", 0).content = text;
    return;
  }
  const style = STYLES[name];
  const { pos, posMax } = state;
  if (style) state.push(`${style}_open`, style, 1);
  state.pos = start;
  state.posMax = end;
  state.md.inline.tokenize(state);
  state.pos = pos;
  state.posMax = posMax;
  if (style) state.push(`${style}_close`, style, -1);
}

// These are Discord's own rules, which take polynomial time; the simulator accepts at most 2,000 characters a message.
/* oxlint-disable regexp/no-super-linear-backtracking */
import type { Kind, Shape } from "../protocol.ts";
import { linked, styled } from "./shapes.ts";

/** A pattern, and the shapes that its match becomes. */
type Rule = readonly [pattern: RegExp, make: (match: RegExpExecArray) => Shape[]];

const within = (is: Kind, text: string | undefined) => [styled(is, ...showDiscord(text ?? ""))];

/** Rules that apply at the beginning of a line. */
const LINES: readonly Rule[] = [
  [/ *>>> ([^]*)/y, ([, rest]) => within("quote", rest)],
  [/(?: *> [^\n]*(?:\n|$))+/y, ([all]) => within("quote", all.replace(/^ *> ?/gm, "").replace(/\n$/, ""))],
  [
    / *(#{1,3})\s+([^\n]+?)#*\s*(?:\n|$)/y,
    ([, marks = "", text]) => within(marks.length === 1 ? "h1" : marks.length === 2 ? "h2" : "h3", text),
  ],
  [/-# +([^\n]+)/y, ([, text]) => within("small", text)],
  [
    /( *)([-*]|\d+\.) +([^\n]*)(?:\n|$)/y,
    ([, indent = "", marker = "", text]) => [
      styled(
        "item",
        `${"\u2003".repeat(Math.ceil(indent.length / 2))}${/\d/.test(marker) ? marker : "•"} `,
        ...showDiscord(text ?? ""),
      ),
    ],
  ],
];

const ANYWHERE: readonly Rule[] = [
  [
    /```(?:([a-z0-9_+\-.#]+?)\n)?\n*([^\n][^]*?)\n*```\n?/iy,
    ([, note, text = ""]) => [{ is: "pre", of: [text], ...(note && { note }) }],
  ],
  [/(`+)([^]*?[^`])\1(?!`)/y, ([, , text = ""]) => [styled("code", text)]],
  [/\\([^0-9A-Za-z\s])/y, ([, text = ""]) => [text]],
  [/<(https?:\/\/[^\s>]+)>/iy, ([, url = ""]) => [linked(url, [url])]],
  [
    /<(?:@[!&]?\d+|#\d+|\/[^:>]+:\d+|t:-?\d+(?::\w)?|a?:\w+:\d+|id:\w+)>/y,
    ([all]) => [styled("mention", all)],
  ],
  [
    /\[((?:\[[^\]]*\]|[^[\]]|\](?=[^[]*\]))*)\]\(\s*<?((?:\([^)]*\)|\((?![^)]*\))|[^\s\\(]|\\.)*?)>?\s*\)/y,
    ([all, text = "", href = ""]) =>
      /https?:\/\//i.test(text) || !/^https?:/i.test(href) ? [all] : [linked(href, showDiscord(text))],
  ],
  [/https?:\/\/[^\s<]+[^<.,:;"'\]\s]/iy, ([url]) => [linked(url, [url])]],
  [/\|\|([^]+?)\|\|/y, ([, text]) => within("spoiler", text)],
  [/~~([^]+?)~~(?!_)/y, ([, text]) => within("strike", text)],
  // The longest match of these two wins; three asterisks are both.
  [
    /\*(?=\S)((?:\*\*|\\[^]|\s+(?:\\[^]|[^\s*\\]|\*\*)|[^\s*\\])+?)\*(?!\*)/y,
    ([, text]) => within("italic", text),
  ],
  [/\*\*((?:\\[^]|[^\\])+?)\*\*(?!\*)/y, ([, text]) => within("bold", text)],
  [/__((?:\\[^]|[^\\])+?)__(?!_)/y, ([, text]) => within("underline", text)],
  [/(?<!\w)_((?:__|\\[^]|[^\\_])+?)_(?!\w)/y, ([, text]) => within("italic", text)],
];

const ALL = [...LINES, ...ANYWHERE];

/** The characters at which a rule can match in the middle of a line. */
const MARKS = /[`\\<[hH|~*_]/;

/** Shows a message as Discord's client does, by the rules that are known. */
export function showDiscord(source: string): Shape[] {
  const shapes: Shape[] = [];
  let text = "";
  for (let at = 0; at < source.length; ) {
    const atLineStart = at === 0 || source[at - 1] === "\n";
    const rules = atLineStart ? ALL : MARKS.test(source[at] ?? "") ? ANYWHERE : [];
    const found = longest(rules, source, at);
    if (!found) {
      text += source[at] ?? "";
      at += 1;
      continue;
    }
    if (text) shapes.push(text);
    text = "";
    shapes.push(...found.rule[1](found.match));
    at += found.match[0].length;
  }
  return text ? [...shapes, text] : shapes;
}

function longest(rules: readonly Rule[], source: string, at: number) {
  let best: { rule: Rule; match: RegExpExecArray } | undefined;
  for (const rule of rules) {
    rule[0].lastIndex = at;
    const match = rule[0].exec(source);
    if (!match || (best && !(match[0].startsWith("*") && match[0].length > best.match[0].length))) continue;
    best = { rule, match };
  }
  return best;
}

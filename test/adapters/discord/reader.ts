/** A run of text as a person sees it in Discord. */
export interface Run {
  readonly text: string;
  /** Styles, and what the client makes of it: "h1", "quote", "item", "mention", "emoji", "block:js". */
  readonly looks: readonly string[];
  readonly href?: string;
}

interface State {
  readonly looks: readonly string[];
  readonly href?: string;
}

/** What a rule makes of the text that it matched. */
type Rule = readonly [pattern: RegExp, make: (match: RegExpExecArray, state: State) => Run[]];

const within = (text: string | undefined, state: State, look: string) =>
  read(text ?? "", { ...state, looks: [...state.looks, look] });
const plain = (text: string, { looks, href }: State): Run[] => [{ text, looks, ...(href && { href }) }];

/** At the beginning of a line. */
const LINES: readonly Rule[] = [
  [/ *>>> ([^]*)/y, ([, rest], state) => within(rest, state, "quote")],
  [/(?: *> [^\n]*(?:\n|$))+/y, ([all], state) => within(all.replace(/^ *> ?/gm, ""), state, "quote")],
  [
    / *(#{1,3})\s+([^\n]+?)#*\s*(?:\n|$)/y,
    ([, marks, text], state) => within(text, state, `h${marks?.length}`),
  ],
  [/-# +([^\n]+)/y, ([, text], state) => within(text, state, "small")],
  [/ *(?:[-*]|\d+\.) +([^\n]*)/y, ([, text], state) => within(text, state, "item")],
];

const ANYWHERE: readonly Rule[] = [
  [
    /```(?:([a-z0-9_+\-.#]+?)\n)?\n*([^\n][^]*?)\n*```/iy,
    ([, language, text = ""], state) => plain(text, { looks: [...state.looks, `block:${language ?? ""}`] }),
  ],
  [
    /(`+)([^]*?[^`])\1(?!`)/y,
    ([, , text = ""], state) => plain(text, { ...state, looks: [...state.looks, "code"] }),
  ],
  [/\\([^0-9A-Za-z\s])/y, ([, text = ""], state) => plain(text, state)],
  [/<(https?:\/\/[^\s>]+)>/iy, ([, url = ""], state) => plain(url, { ...state, href: url })],
  [
    /<(?:@[!&]?\d+|#\d+|\/[^:>]+:\d+|t:-?\d+(?::\w)?|a?:\w+:\d+|id:\w+)>/y,
    ([all], state) => plain(all, { ...state, looks: [...state.looks, "mention"] }),
  ],
  [
    /\[((?:\[[^\]]*\]|[^[\]]|\](?=[^[]*\]))*)\]\(\s*<?((?:\([^)]*\)|[^\s\\]|\\.)*?)>?\s*\)/y,
    ([all, text = "", href = ""], state) =>
      /https?:\/\//i.test(text) ? plain(all, state) : read(text, { ...state, href }),
  ],
  [/(?:https?|steam):\/\/[^\s<]+[^<.,:;"'\]\s]/iy, ([url], state) => plain(url, { ...state, href: url })],
  [/\|\|([^]+?)\|\|/y, ([, text], state) => within(text, state, "spoiler")],
  [/~~([^]+?)~~(?!_)/y, ([, text], state) => within(text, state, "strike")],
  // Of these the one that takes most wins; three asterisks are both.
  [
    /\*(?=\S)((?:\*\*|\\[^]|\s+(?:\\[^]|[^\s*\\]|\*\*)|[^\s*\\])+?)\*(?!\*)/y,
    ([, text], state) => within(text, state, "italic"),
  ],
  [/\*\*((?:\\[^]|[^\\])+?)\*\*(?!\*)/y, ([, text], state) => within(text, state, "bold")],
  [/__((?:\\[^]|[^\\])+?)__(?!_)/y, ([, text], state) => within(text, state, "underline")],
  [/(?<!\w)_((?:__|\\[^]|[^\\_])+?)_(?!\w)/y, ([, text], state) => within(text, state, "italic")],
  [/:[\w+-]+:/y, ([all], state) => plain(all, { ...state, looks: [...state.looks, "emoji"] })],
];

/** Reads a message by the rules of Discord's client, as they are known. */
export function read(source: string, state: State = { looks: [] }): Run[] {
  const runs: Run[] = [];
  for (let at = 0; at < source.length; ) {
    const atLineStart = at === 0 || source[at - 1] === "\n";
    const found = longest(atLineStart ? [...LINES, ...ANYWHERE] : ANYWHERE, source, at);
    runs.push(...(found?.rule[1](found.match, state) ?? plain(source[at] ?? "", state)));
    at += found?.match[0].length ?? 1;
  }
  return runs;
}

const ASTERISK = /^\*/;

function longest(rules: readonly Rule[], source: string, at: number) {
  let best: { rule: Rule; match: RegExpExecArray } | undefined;
  for (const rule of rules) {
    rule[0].lastIndex = at;
    const match = rule[0].exec(source);
    if (!match || (best && !(ASTERISK.test(match[0]) && match[0].length > best.match[0].length))) continue;
    best = { rule, match };
  }
  return best;
}

/** The visible characters, each with its looks in alphabetical order. */
export function charactersOf(runs: readonly Run[]): string[] {
  return runs.flatMap(({ text, looks }) =>
    Array.from(text.replace(/[\s\p{Cc}\p{Cf}]/gu, ""), (character) =>
      `${character} ${[...looks].sort().join(" ")}`.trim(),
    ),
  );
}

import createMarkdownIt, { type MarkdownIt, type StateBlock, type Token } from "markdown-it";
import cjkFriendly from "markdown-it-cjk-friendly";
import { nestedBracket } from "./rules/brackets.ts";
import { footnote } from "./rules/footnote.ts";
import { canBeUnderlined } from "./rules/heading.ts";
import { htmlTag } from "./rules/html.ts";
import { blockMath, inlineMath } from "./rules/math.ts";
import { definition, footnoteMark, reference } from "./rules/reference.ts";
import { spoiler, text } from "./rules/spoiler.ts";
import { type BlockRule, canBeHead, keepExcessCells, withoutFilling } from "./rules/table.ts";
import type { Source } from "./source.ts";
import { splitInline } from "./split.ts";

/** The tokens of markdown-it; a long inline token comes in several segments. */
export interface Parsed {
  readonly tokens: readonly Token[];
  /** In mode "settled": how many characters of the last paragraph are settled. */
  readonly settledChars: number;
}

/** Quotes and lists nested deeper than this many tokens are shown as text; markdown-it would lose them. */
const MAX_DEPTH = 120;

/** The blocks that each rule interrupts; replacing a rule of markdown-it means stating them again. */
const INTERRUPTS = {
  blockquote: ["paragraph", "blockquote", "list"],
  list: ["paragraph", "blockquote"],
  table: ["paragraph"],
  lheading: [],
};

const md = createParser();

/** Parses Markdown into tokens. */
export function parseTokens(source: Source): Parsed {
  const env = { source, settledChars: 0 };
  const tokens = md.parse(source.text, env);
  return { tokens, settledChars: env.settledChars };
}

/** Resolves character references and backslash escapes in the info string of a fence. */
export function unescaped(info: string): string {
  return md.utils.unescapeAll(info);
}

function createParser(): MarkdownIt {
  const parser = createMarkdownIt({ html: false, linkify: true, maxNesting: 1000 });
  // Show addresses as they were written, not decoded.
  parser.normalizeLinkText = (url) => url;
  // As in GFM, "https://…", "www.…" and mail addresses become links, but bare names such as "main.py" do not.
  parser.linkify.set({ fuzzyLink: false });
  addWww(parser);
  limit(parser, "blockquote", { allowed: notTooDeep });
  limit(parser, "list", { allowed: notTooDeep });
  limit(parser, "table", { allowed: canBeHead, wrap: withoutFilling });
  limit(parser, "lheading", { allowed: canBeUnderlined });
  // Later definitions must not change text far before them, so references are resolved page by page.
  parser.block.ruler.at("reference", definition, { alt: [] });
  parser.block.ruler.before("reference", "footnote", footnote, { alt: ["paragraph", "blockquote", "list"] });
  parser.block.ruler.before("fence", "math", blockMath, { alt: ["paragraph", "blockquote", "list"] });
  parser.inline.ruler.at("text", text);
  parser.inline.ruler.before("escape", "math", inlineMath);
  parser.inline.ruler.before("link", "spoiler", spoiler);
  parser.inline.ruler.before("link", "nested_bracket", nestedBracket);
  parser.inline.ruler.after("image", "footnote_mark", footnoteMark);
  parser.inline.ruler.after("footnote_mark", "reference", reference);
  parser.inline.ruler.before("autolink", "html_tag", htmlTag);
  parser.use(cjkFriendly);
  parser.core.ruler.after("block", "excess_cells", keepExcessCells);
  parser.core.ruler.after("excess_cells", "segments", splitInline);
  return parser;
}

function addWww(parser: MarkdownIt): void {
  parser.linkify.add("www.", {
    validate: (text, pos) =>
      /^(?:[\w-]+\.)+[a-z]{2,}(?:[/?#][^\s<]*[^\s<.,;:!?'")\]*_~])?/i.exec(text.slice(pos, pos + 2000))?.[0]
        .length ?? 0,
    normalize: (match) => {
      match.url = `http://${match.url}`;
    },
  });
}

interface Limit {
  readonly allowed: (state: StateBlock, line: number) => boolean;
  readonly wrap?: (rule: BlockRule) => BlockRule;
}

/** Makes a block rule of markdown-it apply only where `allowed` holds; `wrap` changes the rule itself. */
function limit(
  parser: MarkdownIt,
  name: keyof typeof INTERRUPTS,
  { allowed, wrap = (rule) => rule }: Limit,
): void {
  const { ruler } = createMarkdownIt("zero").block;
  ruler.enableOnly([name]);
  const [found] = ruler.getRules("");
  const rule = found && wrap(found);
  const limited: BlockRule = (state, startLine, endLine, silent) =>
    allowed(state, startLine) && (rule?.(state, startLine, endLine, silent) ?? false);
  parser.block.ruler.at(name, limited, { alt: INTERRUPTS[name] });
}

function notTooDeep(state: StateBlock): boolean {
  return state.level < MAX_DEPTH;
}

import { badRequest } from "../refusal.ts";

/** A tag and its content. */
export interface Tag {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: (Tag | string)[];
}

/** The tags without content, written with or without a slash at the end. */
const VOID = ["br", "hr", "input"];

const TOKEN = /<(\/?)([a-z][a-z0-9-]*)((?:\s+[a-z-]+(?:="[^"<>]*")?)*)\s*\/?>|[^<]+|</gi;
const ATTRIBUTE = /([a-z-]+)(?:="([^"]*)")?/gi;

/**
 * Parses the HTML of a rich message (https://core.telegram.org/bots/api#rich-html-style). It is strict: it refuses what
 * Telegram silently repairs, such as an unclosed tag, with the errors of Telegram's other parser.
 */
export function parseHtml(html: string): Tag {
  const root: Tag = { name: "", attributes: {}, children: [] };
  const open = [root];
  for (const { 0: token, 1: end, 2: name = "", 3: rest = "", index } of html.matchAll(TOKEN)) {
    const top = open.at(-1) ?? root;
    const at = `at byte offset ${Buffer.byteLength(html.slice(0, index))}`;
    if (token === "<") throw badRequest(`can't parse entities: Unsupported start tag ${at}`);
    if (!name) top.children.push(decode(token, at));
    else if (end) {
      if (top.name !== name)
        throw badRequest(`can't parse entities: Unmatched end tag ${at}, found "${name}"`);
      open.pop();
    } else {
      const tag: Tag = { name, attributes: readAttributes(rest, at), children: [] };
      top.children.push(tag);
      if (!VOID.includes(name)) open.push(tag);
    }
  }
  if (open.length === 1) return root;
  throw badRequest(
    `can't parse entities: Can't find end tag corresponding to start tag "${open.at(-1)?.name}"`,
  );
}

function readAttributes(text: string, at: string): Record<string, string> {
  const pairs = [...text.matchAll(ATTRIBUTE)].map(([, name = "", value = ""]) => [name, decode(value, at)]);
  return Object.fromEntries(pairs) as Record<string, string>;
}

/** The named character references of the Bot API. */
const REFERENCES: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
};

/** Decodes character references. An ampersand that does not begin one is literal. */
function decode(text: string, at: string): string {
  return text.replace(/&(\w+);?/g, (whole, name: string) => {
    const character = REFERENCES[name];
    if (character !== undefined && whole.endsWith(";")) return character;
    throw badRequest(`can't parse entities: Unsupported character reference "${whole}" ${at}`);
  });
}

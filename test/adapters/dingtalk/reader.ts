import MarkdownIt, { type Token } from "markdown-it";

/** A character as a reader of Markdown sees it, with the styles that it has, in order. */
export interface Seen {
  readonly character: string;
  readonly styles: string;
}

const markdown = new MarkdownIt({ html: true });

const STYLES: Readonly<Record<string, string>> = { strong: "bold", em: "italic", s: "strike", link: "link" };

/** What plain CommonMark with tables, strikethrough and HTML makes of a text: its visible characters. */
export function readMarkdown(text: string): Seen[] {
  return markdown.parse(text, {}).flatMap(({ type, children, content }) => {
    if (type === "inline") return seenIn(children ?? []);
    return type === "fence" || type === "code_block" ? characters(content, "") : [];
  });
}

/** The kinds of tokens that a text has. */
export function kindsIn(text: string): Set<string> {
  const all = markdown.parse(text, {}).flatMap((token) => [token, ...(token.children ?? [])]);
  return new Set(all.map(({ type }) => type));
}

/** Visible characters of a style. */
export function characters(text: string, styles: string): Seen[] {
  return Array.from(text.replace(/[\s\p{C}\u200a]/gu, ""), (character) => ({ character, styles }));
}

function seenIn(tokens: readonly Token[]): Seen[] {
  const open = new Set<string>();
  return tokens.flatMap(({ type, nesting, content }) => {
    const style = STYLES[type.replace(/_(?:open|close)$/, "")];
    if (style && nesting === 1) open.add(style);
    else if (style) open.delete(style);
    else if (type === "code_inline") return characters(content, [...open, "code"].sort().join(" "));
    else return characters(content, [...open].sort().join(" "));
    return [];
  });
}

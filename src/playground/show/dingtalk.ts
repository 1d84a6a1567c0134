import MarkdownIt, { type Token } from "markdown-it";
import type { Kind, Shape, Styled } from "../protocol.ts";
import { linked, styled } from "./shapes.ts";

const markdown = new MarkdownIt({ html: false, breaks: true });

const KINDS: Readonly<Record<string, Kind>> = {
  strong: "bold",
  em: "italic",
  s: "strike",
  paragraph: "paragraph",
  blockquote: "quote",
  bullet_list: "list",
  ordered_list: "numbers",
  list_item: "item",
  table: "table",
  tr: "row",
  th: "head",
  td: "cell",
};

/** Shows a Markdown message as DingTalk's client does: ordinary Markdown, without HTML. */
export function showDingtalk(source: string): Shape[] {
  return showTokens(markdown.parse(source, {}));
}

interface Open {
  readonly token: Token | undefined;
  readonly of: Shape[];
}

function showTokens(tokens: readonly Token[]): Shape[] {
  const root: Open = { token: undefined, of: [] };
  const open: Open[] = [root];
  const add = (...shapes: readonly Shape[]) => (open.at(-1) ?? root).of.push(...shapes);
  for (const token of tokens) {
    if (token.type === "inline") add(...showTokens(token.children ?? []));
    else if (token.nesting === 1) open.push({ token, of: [] });
    else if (token.nesting === -1) {
      const done = open.length > 1 ? open.pop() : undefined;
      if (done) add(...close(done));
    } else add(...leaf(token));
  }
  return root.of;
}

function close({ token, of }: Open): Shape[] {
  const name = token?.type.replace(/_open$/, "") ?? "";
  if (name === "link") return [linked(String(token?.attrGet("href") ?? ""), of)];
  if (name === "heading")
    return [styled(token?.tag === "h1" ? "h1" : token?.tag === "h2" ? "h2" : "h3", ...of)];
  const is = KINDS[name];
  if (!is) return of;
  const start = token?.attrGet("start");
  return [{ is, of, ...(is === "numbers" && start ? { note: String(start) } : {}) } satisfies Styled];
}

function leaf({ type, content, info, children }: Token): Shape[] {
  if (type === "softbreak" || type === "hardbreak") return ["\n"];
  if (type === "hr") return [styled("rule")];
  if (type === "code_inline") return [styled("code", content)];
  if (type === "fence" || type === "code_block")
    return [{ is: "pre", of: [content.replace(/\n$/, "")], ...(info && { note: info }) }];
  // The page loads nothing from elsewhere, so a picture is shown as its description.
  if (type === "image") return [`[${(children ?? []).map((child) => child.content).join("")}]`];
  return content ? [content] : [];
}

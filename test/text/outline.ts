import type { Block, ListItem, Span } from "../../src/text/block.ts";

/**
 * What a text is made of, block by block: `heading1`, `list3` (from number 3) and the like, and in leaves the runs of
 * text with their styles. Whether a list is tight, titles of links, and empty paragraphs do not matter.
 */
export interface Outline {
  readonly kind: string;
  readonly runs?: readonly Run[];
  readonly parts?: readonly Outline[];
}

/** A text that looks the same throughout. */
export interface Run {
  readonly text: string;
  /** In alphabetical order. */
  readonly styles: string;
  readonly href: string;
}

/** The outline of our blocks. */
export function outlineOf(blocks: readonly Block[]): Outline[] {
  return blocks.map((block): Outline => {
    switch (block.type) {
      case "paragraph":
        return { kind: "paragraph", runs: toRuns(block.spans) };
      case "heading":
        return { kind: `heading${block.level}`, runs: toRuns(block.spans) };
      case "code":
        return { kind: `code ${block.language}`.trim(), runs: run(block.text, [], "") };
      case "quote":
        return { kind: "quote", parts: outlineOf(block.blocks) };
      case "list":
        return { kind: `list${block.start ?? ""}`, parts: block.items.map(outlineOfItem) };
      case "table":
        return { kind: "table", runs: [block.head, ...block.rows].flatMap((row) => row.flatMap(toRuns)) };
      case "rule":
        return { kind: "rule" };
    }
  });
}

function outlineOfItem({ blocks }: ListItem): Outline {
  return { kind: "item", parts: outlineOf(blocks) };
}

function toRuns(spans: readonly Span[]): Run[] {
  return joined(spans.flatMap(({ text, styles = [], href = "" }) => run(text, styles, href)));
}

function run(text: string, styles: readonly string[], href: string): Run[] {
  return text ? [{ text, styles: [...new Set(styles)].toSorted().join(" "), href }] : [];
}

/** Runs that look the same are one; white space at the ends of a block does not show. */
function joined(runs: readonly Run[]): Run[] {
  const all: Run[] = [];
  for (const each of runs) {
    const last = all.at(-1);
    if (last?.styles === each.styles && last.href === each.href)
      all.splice(-1, 1, { ...last, text: last.text + each.text });
    else all.push(each);
  }
  return all;
}

/** The outline of HTML as CommonMark's specification writes it. */
export function outlineOfHtml(html: string): Outline[] {
  return toOutline(toTree(html));
}

interface Element {
  readonly tag: string;
  readonly attributes: string;
  /** Of a text. */
  readonly text: string;
  readonly children: Element[];
}

const VOID = new Set(["br", "hr", "img"]);

function toTree(html: string): Element[] {
  const root: Element = { tag: "", attributes: "", text: "", children: [] };
  const open = [root];
  for (const [found, slash, name = "", attributes = ""] of html.matchAll(
    /<(\/?)([a-z0-9]+)([^>]*)>|[^<]+/g,
  )) {
    const element = { tag: name, attributes, text: name ? "" : unescaped(found), children: [] };
    if (slash) open.pop();
    else open.at(-1)?.children.push(element);
    if (name && !slash && !VOID.has(name)) open.push(element);
  }
  return root.children;
}

function unescaped(text: string): string {
  const characters: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', amp: "&" };
  return text.replace(/&(lt|gt|quot|amp);/g, (_, name: string) => characters[name] ?? "");
}

const INLINE = new Set(["", "em", "strong", "code", "a", "img", "br"]);

/** What stands bare, as in the items of tight lists, is a paragraph. */
function toOutline(elements: readonly Element[]): Outline[] {
  const outline: Outline[] = [];
  let bare: Element[] = [];
  const flush = () => {
    const runs = joined(bare.flatMap((element) => inline(element, [], "")));
    if (runs.some(({ text }) => text.trim())) outline.push({ kind: "paragraph", runs: trimmed(runs) });
    bare = [];
  };
  for (const element of elements) {
    if (INLINE.has(element.tag)) {
      bare.push(element);
      continue;
    }
    flush();
    outline.push(...toBlock(element));
  }
  flush();
  return outline;
}

function toBlock({ tag, attributes, children }: Element): Outline[] {
  const runs = joined(children.flatMap((element) => inline(element, [], "")));
  const heading = /^h([1-6])$/.exec(tag)?.[1];
  if (tag === "p" || heading)
    return runs.length > 0 ? [{ kind: heading ? `heading${heading}` : "paragraph", runs }] : [];
  switch (tag) {
    case "hr":
      return [{ kind: "rule" }];
    case "pre": {
      const [code] = children;
      const language = /language-([^"]*)/.exec(code?.attributes ?? "")?.[1] ?? "";
      const text = (code?.children ?? []).map((element) => element.text).join("");
      return [{ kind: `code ${unescaped(language)}`.trim(), runs: run(text.replace(/\n$/, ""), [], "") }];
    }
    case "blockquote":
      return [{ kind: "quote", parts: toOutline(children) }];
    case "ul":
    case "ol": {
      const start = tag === "ol" ? (/start="(\d+)"/.exec(attributes)?.[1] ?? "1") : "";
      const items = children.filter((child) => child.tag === "li");
      return [
        {
          kind: `list${start}`,
          parts: items.map((item) => ({ kind: "item", parts: toOutline(item.children) })),
        },
      ];
    }
    default:
      return [{ kind: tag, parts: toOutline(children) }];
  }
}

function trimmed(runs: readonly Run[]): Run[] {
  return runs
    .map((each, index) => ({ ...each, text: index === runs.length - 1 ? each.text.trimEnd() : each.text }))
    .map((each, index) => ({ ...each, text: index === 0 ? each.text.trimStart() : each.text }))
    .filter(({ text }) => text);
}

const STYLES: Readonly<Record<string, string>> = { em: "italic", strong: "bold", code: "code" };

function inline(
  { tag, attributes, text, children }: Element,
  styles: readonly string[],
  href: string,
): Run[] {
  const attribute = (name: string) => unescaped(new RegExp(` ${name}="([^"]*)"`).exec(attributes)?.[1] ?? "");
  const within = (inner: readonly string[], to: string) =>
    children.flatMap((element) => inline(element, inner, to));
  switch (tag) {
    case "":
      return run(text, styles, href);
    case "br":
      return [];
    case "img":
      return run(attribute("alt") || attribute("src"), styles, href || attribute("src"));
    case "a": {
      const to = attribute("href");
      const shown = within(styles, to);
      return shown.some((each) => each.text.trim()) ? shown : run(to, styles, to);
    }
    default:
      return within([...styles, STYLES[tag] ?? tag], href);
  }
}

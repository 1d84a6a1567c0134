import { expect } from "vitest";

/** All that may be in the HTML of an answer: tags, and the attributes of each with the values they may have. */
const ALLOWED: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  p: { class: /^(?:formula ?)?(?:continues)?$/, dir: /^auto$/ },
  ...Object.fromEntries(["h2", "h3", "h4", "h5", "h6"].map((tag) => [tag, block()])),
  pre: { class: /^continues$/, dir: /^ltr$/ },
  code: { class: /^language-[a-z0-9_+\-.#]+$/i },
  blockquote: { class: /^continues$/ },
  ul: { ...block(), class: /^(?:tasks ?)?(?:continues)?$/ },
  ol: { ...block(), class: /^(?:tasks ?)?(?:continues)?$/, start: /^\d+$/ },
  li: block(),
  label: {},
  input: { type: /^checkbox$/, disabled: /^$/, checked: /^$/ },
  div: { class: /^table(?: continues)?$/ },
  table: {},
  thead: {},
  tbody: {},
  tr: {},
  th: { class: /^(?:left|center|right)$/, scope: /^col$/, dir: /^auto$/ },
  td: { class: /^(?:left|center|right)$/, dir: /^auto$/, colspan: /^\d+$/ },
  hr: {},
  br: {},
  strong: {},
  em: {},
  s: {},
  span: { class: /^(?:spoiler|math)$/, tabindex: /^0$/, dir: /^ltr$/, title: /^/ },
  a: { href: /^(?:https?:\/\/|mailto:)/i, rel: /^noopener noreferrer nofollow$/, target: /^_blank$/ },
};

function block(): Readonly<Record<string, RegExp>> {
  return { class: /^continues$/, dir: /^auto$/ };
}

const VOID = ["hr", "br", "input"];

const BLOCKS = ["p", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote", "ul", "ol", "div", "table", "hr"];

/** What a parser would not leave in an open element of that name. */
const CLOSED_BY: Readonly<Record<string, readonly string[]>> = {
  p: [...BLOCKS, "li"],
  a: ["a"],
  label: [...BLOCKS, "li", "label"],
};

const ENTITIES: Readonly<Record<string, string>> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"' };

/**
 * A strict reader of HTML: fails on any tag, attribute or value that is not allowed, on a tag that is not closed
 * or that a browser would close by itself, on a bare `<`, `>` or `&`, and on control characters. Returns the text.
 */
export function readHtml(html: string): string {
  insist(!/(?![\n\t])\p{Cc}/u.test(html), () => `a control character in ${JSON.stringify(html)}`);
  const open: string[] = [];
  let text = "";
  let at = 0;
  for (const { 0: tag, 1: slash, 2: name = "", 3: attributes = "", index } of html.matchAll(
    /<(\/?)([a-z]+\d?)([^<>]*)>/g,
  )) {
    text += textOf(html.slice(at, index));
    at = index + tag.length;
    if (slash) {
      const last = open.pop();
      insist(last === name && attributes === "", () => `${tag} ends <${last}>`);
      continue;
    }
    for (const outer of open) insist(!CLOSED_BY[outer]?.includes(name), () => `${tag} closes <${outer}>`);
    expectAllowed(name, attributes);
    if (!VOID.includes(name)) open.push(name);
  }
  insist(open.length === 0, () => `<${open.join("> <")}> is not closed`);
  return text + textOf(html.slice(at));
}

function textOf(escaped: string): string {
  insist(!/[<>"]|&(?!(?:amp|lt|gt|quot);)/.test(escaped), () => `not escaped: ${escaped}`);
  return escaped.replace(/&\w+;/g, (entity) => ENTITIES[entity] ?? "");
}

function expectAllowed(name: string, attributes: string): void {
  const allowed = ALLOWED[name];
  insist(allowed !== undefined, () => `<${name}> is not allowed`);
  const rest = attributes.replace(/ ([a-z]+)(?:="([^"<>]*)")?/g, (_, attribute: string, value = "") => {
    const isAllowed = allowed?.[attribute]?.test(textOf(value)) ?? false;
    insist(isAllowed, () => `${attribute}="${value}" on <${name}> is not allowed`);
    return "";
  });
  insist(rest === "", () => `<${name}> has the attributes ${attributes}`);
}

/** Like `expect`, which takes most of the time where it is called for each of a thousand tags. */
function insist(isSo: boolean, otherwise: () => string): void {
  if (!isSo) expect.fail(otherwise());
}

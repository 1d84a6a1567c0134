import type { Span, Style } from "../../../src/text/block.ts";
import { spellOutLinks } from "../../../src/text/links.ts";
import { type Mark, writeSpans } from "../../../src/text/dialect/nest.ts";
import { cleaned } from "./clean.ts";
import { isLinkable } from "./links.ts";

const TAGS: Readonly<Record<Style, string>> = {
  bold: "b",
  italic: "i",
  strike: "s",
  code: "code",
  spoiler: "tg-spoiler",
};

/** Prints spans as the HTML of a rich message; a line break becomes `<br>`. */
export function printRichSpans(spans: readonly Span[]): string {
  let html = "";
  writeSpans(spellOutLinks(spans, isWeb), {
    open: (mark) => {
      html += "href" in mark ? `<a href="${escapeHtml(mark.href)}">` : `<${tagOf(mark)}>`;
    },
    close: (mark) => {
      html += `</${tagOf(mark)}>`;
    },
    text: (span) => {
      html += span.tex === undefined ? printText(span.text) : printFormula(span, "tg-math");
    },
  });
  return withoutEmpty(html);
}

const EMPTY = /<(b|i|s|code|tg-spoiler|a)\b[^<>]*>((?:[\s\u00a0]|<br>)*)<\/\1>/g;

/** Removes tags around blank text: the server refuses them as it refuses empty blocks. */
function withoutEmpty(html: string): string {
  const rest = html.replace(EMPTY, "$2");
  return rest === html ? html : withoutEmpty(rest);
}

/**
 * Whether a link leads to the web. In rich messages other schemes are more than links: `tg://` and `mailto:` become
 * mentions and e-mail addresses, and the server refuses invalid ones (RICH_MESSAGE_EMAIL_INVALID).
 */
function isWeb({ href = "" }: { readonly href: string | undefined }): boolean {
  return /^https?:/i.test(href) && isLinkable(href);
}

function tagOf(mark: Mark): string {
  return "href" in mark ? "a" : TAGS[mark.style];
}

function printText(text: string): string {
  return escapeHtml(cleaned(text)).replaceAll("\n", "<br>");
}

/** Prints a formula for Telegram to draw, or its text if the LaTeX is blank. */
export function printFormula({ tex = "", text }: Span, tag: "tg-math" | "tg-math-block"): string {
  const source = plainTex(tex);
  return source ? `<${tag}>${source}</${tag}>` : printText(text);
}

/**
 * Rewrites LaTeX so that it means the same whether the server reads it as HTML or, as documented, raw. Commands replace
 * `<` and `>`, and a space follows each `&`, which then cannot begin a character reference.
 */
function plainTex(tex: string): string {
  return cleaned(tex)
    .replace(/\\[\s\S]|[<>&]/g, (mark) => NAMES[mark] ?? mark)
    .trim();
}

const NAMES: Readonly<Record<string, string>> = {
  "<": "\\lt ",
  ">": "\\gt ",
  "&": "& ",
  "\\<": "\\lt ",
  "\\>": "\\: ",
  "\\&": "\\& ",
};

/** Escapes text so that it contains no tags or character references. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (mark) => REFERENCES[mark] ?? mark);
}

const REFERENCES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

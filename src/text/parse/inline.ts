import type { Token } from "markdown-it";
import type { Span, Style } from "../block.ts";
import { joinSpans, type Look, textOf } from "../spans.ts";
import { withDestination } from "./destination.ts";
import { MAX_HREF } from "./rules/reference.ts";

const STYLES: Readonly<Record<string, Style>> = {
  strong: "bold",
  em: "italic",
  s: "strike",
  spoiler: "spoiler",
};

/** Converts the inline tokens of one block to spans. */
export function toSpans(tokens: readonly Token[]): Span[] {
  return joinSpans(
    [],
    tokens.flatMap(({ children }) => segmentToSpans(children ?? [])),
  );
}

/** The formatting of the next text. */
interface Pen {
  /** Each style once, however often it was opened. */
  styles: readonly Style[];
  href: string | undefined;
  ref: string | undefined;
}

function segmentToSpans(tokens: readonly Token[]): Span[] {
  const spans: Span[] = [];
  const pen: Pen = { styles: [], href: undefined, ref: undefined };
  const outside: (readonly Style[])[] = [];
  let linkStart = 0;
  for (const token of tokens) {
    const style = STYLES[token.type.replace(/_(?:open|close)$/, "")];
    if (style && token.nesting === 1) {
      outside.push(pen.styles);
      pen.styles = pen.styles.includes(style) ? pen.styles : [...pen.styles, style];
    } else if (style) pen.styles = outside.pop() ?? [];
    else if (token.type === "link_open") {
      pen.href = String(token.attrGet("href") ?? "");
      linkStart = spans.length;
    } else if (token.type === "link_close") {
      spans.push(...completeLink(spans.splice(linkStart), pen.href ?? ""));
      pen.href = undefined;
    } else if (token.type === "ref_open" || token.type === "ref_close") {
      pen.ref = String(token.meta?.["label"]);
      spans.push({ text: token.content, ...look(pen), bracket: true });
      if (token.nesting === -1) pen.ref = undefined;
    } else if (token.type === "image") spans.push(...image(token, look(pen)));
    else spans.push({ text: textOfToken(token), ...look(pen, token) });
  }
  return spans;
}

function look({ styles, href, ref }: Pen, { type, meta }: Pick<Token, "type" | "meta"> = NOTHING): Look {
  const all = type === "code_inline" ? [...styles, "code" as const] : styles;
  return {
    ...(all.length > 0 && { styles: all }),
    ...(href && { href }),
    ...(ref && { ref }),
    ...(type === "math" && { tex: String(meta?.["tex"]) }),
  };
}

const NOTHING = { type: "", meta: null };

function textOfToken({ type, content }: Token): string {
  return type === "softbreak" || type === "hardbreak" ? "\n" : content;
}

/** Completes a link: an empty one shows its address, and an address too long to be linked is written out. */
function completeLink(spans: Span[], href: string): Span[] {
  const text = textOf(spans);
  const [first] = spans;
  const styles = first?.styles && { styles: first.styles };
  if (href.length > MAX_HREF) {
    const plain = spans.map(({ href: _, ...span }) => span);
    return text === href ? plain : [...plain, { text: text ? ` (${href})` : href }];
  }
  const shown = text.trim() ? spans : [{ text: href, ...styles, ...(href && { href }) }];
  return withDestination(shown, href);
}

/**
 * An image becomes a link that shows its description; inside another link, whose address takes precedence, it is text.
 */
function image(token: Token, outer: Look): Span[] {
  const src = String(token.attrGet("src") ?? "");
  const alt = textOf(segmentToSpans(token.children ?? [])) || src;
  if (outer.href) return [{ ...outer, text: alt === src ? src : `${alt} (${src})` }];
  return completeLink([{ ...outer, text: alt, ...(src && { href: src }) }], src);
}

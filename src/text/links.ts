import type { Span } from "./block.ts";

/** Writes the addresses of links that `keep` does not take behind their texts; such links become text. */
export function spellOutLinks(spans: readonly Span[], keep: (link: Link) => boolean): readonly Span[] {
  if (!spans.some(({ href }) => href)) return spans;
  const links = linksIn(spans);
  return links.flatMap((link, index) => {
    const before = links[index - 1];
    // Its whole address has just been written.
    const rest =
      before?.href && link.spans[0]?.destination && !keep(before) ? link.spans.slice(1) : link.spans;
    if (!link.href || keep(link)) return rest;
    const plain = link.spans.map(({ href: _, ...span }) => span);
    if (showsAddress(link)) return plain;
    return [...plain, { text: " (" }, { text: link.href.replace(/^(?:mailto|tel):/i, "") }, { text: ")" }];
  });
}

/** Neighbouring spans with one address, or without any. */
export interface Link {
  readonly href: string | undefined;
  readonly spans: readonly Span[];
}

function linksIn(spans: readonly Span[]): Link[] {
  const links: { href: string | undefined; spans: Span[] }[] = [];
  for (const span of spans) {
    const last = links.at(-1);
    if (last && last.href === span.href) last.spans.push(span);
    else links.push({ href: span.href, spans: [span] });
  }
  return links;
}

/** Whether the text of a link already is its address. */
function showsAddress({ href, spans }: Link): boolean {
  return isAddress(spans.map(({ text }) => text).join(""), href ?? "");
}

/** Whether a text is an address, as people write it. */
export function isAddress(text: string, href: string): boolean {
  return ["", "http://", "mailto:", "tel:"].some((scheme) => scheme + text === href);
}

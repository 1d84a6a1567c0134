import type { Span } from "./block.ts";

/** Turns the links that `keep` rejects into text, followed by their address in parentheses. */
export function spellOutLinks(spans: readonly Span[], keep: (link: Link) => boolean): readonly Span[] {
  if (!spans.some(({ href }) => href)) return spans;
  const links = linksIn(spans);
  return links.flatMap((link, index) => {
    const before = links[index - 1];
    // The whole address of the link before has just been written out.
    const rest =
      before?.href && link.spans[0]?.destination && !keep(before) ? link.spans.slice(1) : link.spans;
    if (!link.href || keep(link)) return rest;
    const plain = link.spans.map(({ href: _, ...span }) => span);
    if (showsAddress(link)) return plain;
    return [...plain, { text: " (" }, { text: link.href.replace(/^(?:mailto|tel):/i, "") }, { text: ")" }];
  });
}

/** Adjacent spans with the same address, or without one. */
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

/** Whether the text of a link is its address already. */
function showsAddress({ href, spans }: Link): boolean {
  return isAddress(spans.map(({ text }) => text).join(""), href ?? "");
}

/** Whether a text is this address, with or without its scheme. */
export function isAddress(text: string, href: string): boolean {
  return ["", "http://", "mailto:", "tel:"].some((scheme) => scheme + text === href);
}

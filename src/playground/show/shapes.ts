import type { Kind, Shape, Styled } from "../protocol.ts";

/** Text of a kind. */
export function styled(is: Kind, ...of: readonly Shape[]): Styled {
  return { is, of };
}

/** A link, or only underlined text if it does not lead to a web page. */
export function linked(href: string, of: readonly Shape[]): Shape {
  return /^https?:\/\//i.test(href) ? { is: "link", of, href } : { is: "underline", of };
}

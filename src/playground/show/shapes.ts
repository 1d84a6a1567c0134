import type { Kind, Piece, Shape } from "../protocol.ts";

/** Text in some style. */
export function styled(is: Kind, ...of: readonly Shape[]): Piece {
  return { is, of };
}

/** A link; one to anything but a web page is only its text. */
export function linked(href: string, of: readonly Shape[]): Shape {
  return /^https?:\/\//i.test(href) ? { is: "link", of, href } : { is: "underline", of };
}

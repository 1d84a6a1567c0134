/** A host with a dot in it, a port perhaps, and then only what is printable in ASCII. */
const WEB = /^https?:\/\/((?:[a-z0-9_-]+\.)+[a-z0-9-]+)(?::(\d{1,5}))?(?:[/?#][!-~]*)?$/i;

/**
 * Whether Telegram takes an address in a `text_link`. One that it does not take makes the whole message fail,
 * so this is stricter than its own check (TDLib's LinkManager): a host without a dot, such as `localhost`, is
 * refused, and so is a port that is not there, and every other scheme. A `tg://user` link would mention somebody,
 * which is not for a model to decide.
 */
export function isLinkable(href: string): boolean {
  if (/^tg:\/\/(?!user\b)[a-z0-9_-]+(?:\?[!-~]*)?$/i.test(href)) return true;
  const [, host = "", port = "80"] = WEB.exec(href) ?? [];
  return host !== "" && host.length < 255 && Number(port) >= 1 && Number(port) <= 65_535;
}

/** A host with a dot in it, a port perhaps, and then only what is printable in ASCII. */
const WEB = /^https?:\/\/((?:[a-z0-9_-]+\.)+[a-z0-9-]+)(?::(\d{1,5}))?(?:[/?#][!-~]*)?$/i;

/**
 * Whether an address may be a `text_link`. One that Telegram does not take makes the whole message fail, so this is
 * stricter than its own check (TDLib's LinkManager): a host without a dot, such as `localhost`, is refused, and so is a
 * port that is not there. So is every other scheme: a `tg:` link mentions somebody, joins a chat or sets a proxy, which
 * is not for a model to decide.
 */
export function isLinkable(href: string): boolean {
  const [, host = "", port = "80"] = WEB.exec(href) ?? [];
  return host !== "" && host.length < 255 && Number(port) >= 1 && Number(port) <= 65_535;
}

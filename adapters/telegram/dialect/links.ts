/** A web address: a host with a dot, an optional port, and printable ASCII. */
const WEB = /^https?:\/\/((?:[a-z0-9_-]+\.)+[a-z0-9-]+)(?::(\d{1,5}))?(?:[/?#][!-~]*)?$/i;

/**
 * Whether an address may be a `text_link`. Telegram refuses the whole message for one address that it does not accept,
 * so this check is stricter than Telegram's (TDLib's LinkManager): it rejects hosts without a dot, such as `localhost`,
 * and invalid ports. It also rejects every other scheme: a `tg:` link mentions a user, joins a chat or sets a proxy,
 * which a model must not decide.
 */
export function isLinkable(href: string): boolean {
  const [, host = "", port = "80"] = WEB.exec(href) ?? [];
  return host !== "" && host.length < 255 && Number(port) >= 1 && Number(port) <= 65_535;
}

/**
 * Whether Telegram takes an address in a `text_link`. One that it does not take makes the whole message fail,
 * so this is stricter than its own check (TDLib's LinkManager): a host without a dot, such as `localhost`, is
 * refused, and so is every other scheme. A `tg://user` link would mention somebody, which is not for a model
 * to decide.
 */
export function isLinkable(href: string): boolean {
  if (/^tg:\/\/(?!user\b)[a-z0-9_-]+(?:\?[!-~]*)?$/i.test(href)) return true;
  if (!/^https?:\/\/[!-~]+$/i.test(href) || !URL.canParse(href)) return false;
  const { hostname, username } = new URL(href);
  return !username && /^(?:[a-z0-9_-]+\.)+[a-z0-9-]+$/i.test(hostname) && hostname.length < 255;
}

import { isIPv6 } from "node:net";

/** A link as Telegram stores it, a link to a user, or Telegram's reason to refuse it. */
export type CheckedLink = { readonly url: string } | { readonly user: true } | { readonly refused: string };

/** The schemes of links into Telegram and TON. After the scheme there is a host, but no port and no user. */
const OWN = /^(tg|tonsite|ton):(?:\/\/)?/i;

/** A link to a user's profile (tdlib, LinkManager::get_link_user_id). */
const USER = /^tg:(?:\/\/)?user\/?\?(?:[^#]*&)?id=([1-9]\d{0,15})(?=[&#]|$)/i;

/** The largest id of a user (tdlib, UserId.h). */
const MAX_USER_ID = 2 ** 40 - 1;

/**
 * Checks a link as tdlib's LinkManager::check_link does: it needs a host with a dot after http, https or no scheme, or
 * a scheme of Telegram's own.
 */
export function checkLink(link: string): CheckedLink {
  const user = USER.exec(link)?.[1];
  if (user && Number(user) <= MAX_USER_ID) return { user: true };
  const scheme = OWN.exec(link)?.[1]?.toLowerCase();
  const parts = parseLink(scheme ? link.replace(OWN, "") : link);
  if ("refused" in parts) return parts;
  if (scheme) return checkOwn(scheme, parts);
  if (!parts.host.includes(".") && !parts.host.startsWith("[")) return { refused: "Wrong HTTP URL" };
  const { protocol = "http", user: name, host, port, path } = parts;
  return { url: `${protocol}://${name && `${name}@`}${host}${port && `:${port}`}${path}` };
}

interface Parts {
  readonly protocol: string | undefined;
  readonly user: string;
  readonly host: string;
  /** Empty if the link has none. */
  readonly port: string;
  /** Including the query and the fragment. */
  readonly path: string;
}

function checkOwn(scheme: string, { protocol, user, host, port, path }: Parts): CheckedLink {
  if (protocol || user || port || host.startsWith("[")) {
    return { refused: scheme === "tg" ? "Wrong tg URL" : "Wrong ton URL" };
  }
  const allowed = scheme === "tonsite" ? /^[a-z0-9_.-]+$/ : /^[a-z0-9_-]+$/;
  if (!allowed.test(host)) return { refused: "Unallowed characters in URL host" };
  return { url: `${scheme}://${host}${path.startsWith("/?") ? path.slice(1) : path}` };
}

/** The valid beginning of a host: RFC 3986 plus all non-ASCII characters. User info may also contain colons. */
const HOST = /^(?:[\w.!$,~*'();&+=\u0080-\u{10ffff}-]|%[0-9a-f]{2})*/iu;
const NAME = /^(?:[\w.!$,~*'();&+=:\u0080-\u{10ffff}-]|%[0-9a-f]{2})*/iu;

/** Parses a link as tdlib's parse_url does, with the same checks in the same order. */
function parseLink(link: string): Parts | { refused: string } {
  const [, protocol] = /^([^:/?#@[\]]*):\/\//.exec(link) ?? [];
  if (protocol !== undefined && !/^https?$/i.test(protocol)) return { refused: "Unsupported URL protocol" };
  const rest = protocol === undefined ? link : link.slice(protocol.length + 3);
  const authority = /^[^/?#]*/.exec(rest)?.[0] ?? "";
  const tail = rest.slice(authority.length);
  const [, before = authority, port] = /^(.+):([^:@\]]*)$/s.exec(authority) ?? [];
  if (port !== undefined && !isPort(port)) return { refused: "Wrong port number specified in the URL" };
  const at = before.lastIndexOf("@");
  const user = before.slice(0, Math.max(0, at));
  const host = before.slice(at + 1).replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const refused = reasonToRefuse(host, user);
  if (refused) return { refused };
  return {
    protocol: protocol?.toLowerCase(),
    user,
    host,
    port: port ? String(Number(port)) : "",
    path: pathOf(tail),
  };
}

function isPort(port: string): boolean {
  return /^\d{1,12}$/.test(port) && Number(port) > 0 && Number(port) <= 65_535;
}

function reasonToRefuse(host: string, user: string): string | undefined {
  if (/^\[.*\]$/s.test(host)) {
    const address = host.slice(1, -1);
    const isAddress = isIPv6(address) && !address.includes("%");
    return isAddress ? undefined : "Wrong IPv6 address specified in the URL";
  }
  if (host === "") return "URL host is empty";
  if (host === ".") return "Host is invalid";
  return wrongIn(host, HOST, "host") ?? wrongIn(user, NAME, "userinfo");
}

function wrongIn(text: string, allowed: RegExp, where: string): string | undefined {
  const rest = text.replace(allowed, "");
  if (rest === "") return undefined;
  return rest.startsWith("%")
    ? `Wrong percent-encoded symbol in URL ${where}`
    : `Disallowed character in URL ${where}`;
}

function pathOf(tail: string): string {
  const path = tail.replace(/(?<![\0\t\n\v\r ])[\0\t\n\v\r ]+$/, "");
  const whole = path.startsWith("/") ? path : `/${path}`;
  return whole.replace(
    /[\0- ]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

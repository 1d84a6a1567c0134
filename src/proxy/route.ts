import { ConfigError } from "../errors.ts";
import { createRanges } from "../http/ranges.ts";

/** The address of a proxy, from a setting. */
export interface ProxyAddress {
  /** A URL with the protocol `http:`, `https:`, `socks4a:` or `socks5h:`; it may contain a user name and a password. */
  readonly url: URL;
  /** The setting that names it. */
  readonly setting: string;
}

/** Chooses the proxy for a URL; undefined for a direct connection. */
export type ProxyRoute = (url: URL) => ProxyAddress | undefined;

export type ProxyEnv = Readonly<Record<string, string | undefined>>;

/** Connections to this machine never use a proxy, which could not reach a local model. */
const LOOPBACK = "localhost 127.0.0.0/8 ::1";

/**
 * The protocols, with the variants in which the proxy resolves host names: in a censored network, local DNS cannot be
 * trusted.
 */
const KINDS: Readonly<Record<string, string>> = {
  "http:": "http:",
  "https:": "https:",
  "socks:": "socks5h:",
  "socks5:": "socks5h:",
  "socks5h:": "socks5h:",
  "socks4:": "socks4a:",
  "socks4a:": "socks4a:",
};

/**
 * Reads HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY with the rules of curl: lower-case names take precedence, and
 * ALL_PROXY is the default for both others. HTTPS uses HTTP_PROXY if neither of the others is set. A name in NO_PROXY
 * includes its subdomains, an address may be a range (10.0.0.0/8), both may have a port, and "*" matches everything.
 * Returns undefined if all connections are direct.
 */
export function createRoute(env: ProxyEnv): ProxyRoute | undefined {
  const all = readProxy(env, "all_proxy");
  const http = readProxy(env, "http_proxy") ?? all;
  const https = readProxy(env, "https_proxy") ?? all ?? http;
  const without = env["no_proxy"] || env["NO_PROXY"] || "";
  if ((!http && !https) || /(^|[,\s])\*($|[,\s])/.test(without)) return undefined;
  const isDirect = createExceptions(`${without} ${LOOPBACK}`);
  return (url) => {
    if (isDirect(url)) return undefined;
    return isSecure(url) ? https : http;
  };
}

/** Whether a URL is served over TLS. */
export function isSecure({ protocol }: URL): boolean {
  return protocol === "https:" || protocol === "wss:";
}

/** Reads one setting. Errors name it without its value, which may hold a password. */
function readProxy(env: ProxyEnv, name: string): ProxyAddress | undefined {
  const setting = env[name] ? name : name.toUpperCase();
  const given = env[setting];
  if (!given) return undefined;
  const text = given.includes("://") ? given : `http://${given}`;
  const [, protocol = "", rest = ""] = /^([^:]*:)(.*)$/s.exec(text) ?? [];
  const kind = KINDS[protocol.toLowerCase()];
  // Checked as an HTTP URL, because `URL` does not validate the host of other protocols.
  if (kind && URL.canParse(`http:${rest}`)) {
    const { host } = new URL(`http:${rest}`);
    if (host && isDecodable(rest)) return { url: new URL(`${kind}${rest}`), setting };
  }
  throw new ConfigError(
    "proxy",
    `${setting} is not a valid proxy URL. Write it as http://host:port, socks5://host:port or ` +
      "http://user:password@host:port, and percent-encode special characters in the password (%40 for @)",
  );
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function createExceptions(list: string): (url: URL) => boolean {
  const entries = list
    .toLowerCase()
    .split(/[,\s]+/)
    .filter(Boolean);
  const ranges = createRanges();
  const names: { readonly name: string; readonly port: string | undefined }[] = [];
  for (const entry of entries) {
    if (ranges.add(entry)) continue;
    const [, name = entry, port] = /^(.+):(\d+)$/.exec(entry) ?? [];
    names.push({ name: name.replace(/^\*?\./, ""), port });
  }
  return (url) => {
    const host = url.hostname.toLowerCase();
    const address = host.replace(/^\[|\]$/g, "");
    if (ranges.has(address)) return true;
    const port = url.port || (isSecure(url) ? "443" : "80");
    return names.some(
      (entry) =>
        (entry.port === undefined || entry.port === port) &&
        (host === entry.name || host.endsWith(`.${entry.name}`)),
    );
  };
}

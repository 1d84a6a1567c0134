import { ConfigError } from "../errors.ts";
import { createRanges } from "../http/ranges.ts";

/** A proxy as a setting names it. */
export interface ProxyAddress {
  /** Of the kinds `http:`, `https:`, `socks4a:` and `socks5h:`; user name and password may be in it. */
  readonly url: URL;
  /** The setting that names it. */
  readonly setting: string;
}

/** Which way out an address takes; undefined for the direct one. */
export type Route = (url: URL) => ProxyAddress | undefined;

export type Env = Readonly<Record<string, string | undefined>>;

/** This machine is never asked of a proxy: a local model would be out of reach. */
const LOOPBACK = "localhost 127.0.0.0/8 ::1";

/** Names are looked up by the proxy: where a network is censored, its answers are not to be trusted. */
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
 * HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY as curl has them: the lower-case names win, ALL_PROXY stands for both
 * others. HTTPS takes HTTP_PROXY if it has nothing else. In NO_PROXY a name stands for its subdomains too, addresses may
 * be ranges (10.0.0.0/8), either may have a port, and "*" stands for all. Undefined if every way is direct.
 */
export function createRoute(env: Env): Route | undefined {
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

/** Whether TLS is spoken there. */
export function isSecure({ protocol }: URL): boolean {
  return protocol === "https:" || protocol === "wss:";
}

/** Errors name the setting only: its value may hold a password. */
function readProxy(env: Env, name: string): ProxyAddress | undefined {
  const setting = env[name] ? name : name.toUpperCase();
  const given = env[setting];
  if (!given) return undefined;
  const text = given.includes("://") ? given : `http://${given}`;
  const [, protocol = "", rest = ""] = /^([^:]*:)(.*)$/s.exec(text) ?? [];
  const kind = KINDS[protocol.toLowerCase()];
  // As a URL of HTTP: of others the host would not be read like one.
  if (kind && URL.canParse(`http:${rest}`)) {
    const { host } = new URL(`http:${rest}`);
    if (host && isDecodable(rest)) return { url: new URL(`${kind}${rest}`), setting };
  }
  throw new ConfigError(
    "proxy",
    `${setting} is no URL of a proxy. Write it as http://host:port, socks5://host:port or ` +
      "http://user:password@host:port, with %40 for @ in a password and the like",
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

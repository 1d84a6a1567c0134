import type { Agent } from "node:http";
import { createRequire } from "node:module";
import { HttpsProxyAgent } from "https-proxy-agent";
import { type Dispatcher, EnvHttpProxyAgent, setGlobalDispatcher } from "undici";
import type { ClientOptions, WebSocket } from "ws";
import { ConfigError } from "./errors.ts";

/** The way out through a proxy. `fetch` takes it by itself; everything else must be given its part. */
export interface Proxy {
  /** For clients on `node:http` (Telegraf) and for `ws`; undefined where the way is direct. */
  agentFor(url: string | URL): Agent | undefined;
  /** For clients on undici, such as discord.js' REST; it is also undici's global one already. */
  readonly dispatcher: Dispatcher;
}

/** This machine is never asked of a proxy: a local model would be out of reach. undici wants the brackets. */
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Honours HTTP_PROXY, HTTPS_PROXY and NO_PROXY (the lower-case names win, as in curl) for every outgoing
 * connection; undefined if no proxy is set. HTTPS takes HTTP_PROXY if it has none of its own. A name in
 * NO_PROXY stands for its subdomains too, and may have a port; "*" stands for all. Everything goes through
 * a CONNECT tunnel. Call it once, before discord.js is imported: discord.js remembers the WebSocket class.
 */
export function useProxy(env: Env = process.env): Proxy | undefined {
  const http = readProxy(env, "http_proxy");
  const https = readProxy(env, "https_proxy") ?? http;
  const without = readNames(env);
  if ((!http && !https) || without.includes("*")) return undefined;

  const dispatcher = new EnvHttpProxyAgent({
    // An empty string would make undici read the environment itself.
    httpProxy: http ?? "",
    httpsProxy: https ?? "",
    noProxy: without.join(","),
  });
  setGlobalDispatcher(dispatcher);
  const agents = new Map([http, https].map((proxy) => [proxy, proxy ? createAgent(proxy) : undefined]));
  const agentFor = (url: string | URL) => {
    const target = new URL(url);
    if (isDirect(target, without)) return undefined;
    return agents.get(/^(https|wss):$/.test(target.protocol) ? https : http);
  };
  patchWebSocket(agentFor);
  return { agentFor, dispatcher };
}

/** Errors name the variable only: its value may hold a password. */
function readProxy(env: Env, name: string): string | undefined {
  const variable = env[name] ? name : name.toUpperCase();
  const given = env[variable];
  if (!given) return undefined;
  const text = given.includes("://") ? given : `http://${given}`;
  const protocol = /^[^:]*/.exec(text)?.[0].toLowerCase() ?? "";
  if (protocol.startsWith("socks")) {
    throw new ConfigError(
      "proxy",
      `${variable} names a SOCKS proxy, which is not supported yet. Use an HTTP proxy, such as ` +
        "http://127.0.0.1:7890: most programs that offer SOCKS offer one too, often on the same port.",
    );
  }
  if (URL.canParse(text) && /^https?$/.test(protocol)) return new URL(text).href;
  throw new ConfigError(
    "proxy",
    `${variable} is no URL of a proxy. Write it as http://host:port or http://user:password@host:port`,
  );
}

/** Names, addresses and ports that are reached directly, each as undici's own list has them. */
function readNames(env: Env): string[] {
  const given = env["no_proxy"] || env["NO_PROXY"] || "";
  const names = given.split(/[,\s]+/).map((name) => name.toLowerCase().replace(/^\*?\./, ""));
  return [
    ...names
      .filter(Boolean)
      .map((name) => (/:.*:/.test(name) ? name.replace(/^\[?([^\]]*)\]?/, "[$1]") : name)),
    ...LOOPBACK,
  ];
}

/** The rules of undici's EnvHttpProxyAgent, which does not show its decision. */
function isDirect(url: URL, without: readonly string[]): boolean {
  const port = url.port || (/^(https|wss):$/.test(url.protocol) ? "443" : "80");
  return without.some((entry) => {
    const [, name = entry, itsPort = port] = /^(.+):(\d+)$/.exec(entry) ?? [];
    return itsPort === port && (url.hostname === name || url.hostname.endsWith(`.${name}`));
  });
}

/** Keeps tunnels open between calls, as Telegraf's own agent keeps its connections. */
function createAgent(proxy: string): Agent {
  return new HttpsProxyAgent(proxy, { keepAlive: true });
}

/**
 * `@discordjs/ws` makes its WebSocket without an agent and offers no option for one, so the class that
 * `require("ws")` hands out is replaced by one that adds the agent. Who imports `ws` as a module gets the
 * original and passes `agentFor(url)` itself.
 */
function patchWebSocket(agentFor: Proxy["agentFor"]): void {
  const ws: WsModule = createRequire(import.meta.url)("ws");
  ws.WebSocket = class extends ws.WebSocket {
    constructor(url: string | URL, protocols?: string | string[], options?: ClientOptions) {
      super(url, protocols ?? [], { agent: agentFor(url), ...options });
    }
  };
}

/** As `@discordjs/ws` uses it. */
interface WsModule {
  WebSocket: new (url: string | URL, protocols?: string | string[], options?: ClientOptions) => WebSocket;
}

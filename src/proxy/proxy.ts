import type { Agent } from "node:http";
import { createRequire } from "node:module";
import {
  type buildConnector,
  type Dispatcher,
  Pool,
  setGlobalDispatcher,
  Agent as UndiciAgent,
} from "undici";
import type { ClientOptions, WebSocket } from "ws";
import { createRoute, type ProxyEnv, isSecure, type ProxyAddress } from "./route.ts";
import { createTunnels, type Tunnels } from "./tunnel.ts";

/**
 * Outgoing connections through a proxy. `fetch` uses it by itself; other clients must be given one of these members.
 */
export interface Proxy {
  /** The agent for clients on `node:http` (Telegraf) and for `ws`; undefined if the connection is direct. */
  agentFor(url: string | URL): Agent | undefined;
  /** The dispatcher for clients on undici, such as discord.js' REST; it is already undici's global one. */
  readonly dispatcher: Dispatcher;
}

/**
 * Applies HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY to every outgoing connection (see `createRoute`); returns
 * undefined if all connections are direct. Call it once, before discord.js is imported: discord.js remembers the
 * WebSocket class.
 */
export function useProxy(env: ProxyEnv = process.env): Proxy | undefined {
  const route = createRoute(env);
  if (!route) return undefined;
  const opened = new Map<string, Tunnels>();
  const tunnelsTo = (url: URL) => {
    const proxy = route(url);
    return proxy && tunnelsOf(proxy);
  };
  const agentFor = (url: string | URL) => tunnelsTo(new URL(url))?.agent;
  const dispatcher = new UndiciAgent({
    factory: (origin, options) => {
      const url = new URL(origin);
      const tunnels = tunnelsTo(url);
      const given = options as Pool.Options;
      return new Pool(url, tunnels ? { ...given, connect: connectBy(tunnels, url) } : given);
    },
  });
  setGlobalDispatcher(dispatcher);
  patchWebSocket(agentFor);
  return { agentFor, dispatcher };

  function tunnelsOf(proxy: ProxyAddress): Tunnels {
    const known = opened.get(proxy.url.href) ?? createTunnels(proxy);
    opened.set(proxy.url.href, known);
    return known;
  }
}

/** The function by which undici opens a connection through a proxy. */
function connectBy(tunnels: Tunnels, url: URL): buildConnector.connector {
  const secure = isSecure(url);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const target = { host, port: Number(url.port || (secure ? 443 : 80)), secure };
  return (_, callback) => {
    tunnels.open(target).then(
      (socket) => callback(null, socket),
      (error: Error) => callback(error, null),
    );
  };
}

/**
 * Replaces the class that `require("ws")` returns by one that adds the agent: `@discordjs/ws` creates its WebSocket
 * without an agent and has no option for one. Code that imports `ws` as a module gets the original class and passes
 * `agentFor(url)` itself.
 */
function patchWebSocket(agentFor: Proxy["agentFor"]): void {
  const ws: WsModule = createRequire(import.meta.url)("ws");
  ws.WebSocket = class extends ws.WebSocket {
    constructor(url: string | URL, protocols?: string | string[], options?: ClientOptions) {
      super(url, protocols ?? [], { agent: agentFor(url), ...options });
    }
  };
}

/** The part of `ws` that `@discordjs/ws` uses. */
interface WsModule {
  WebSocket: new (url: string | URL, protocols?: string | string[], options?: ClientOptions) => WebSocket;
}

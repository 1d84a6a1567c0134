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
import { createRoute, type Env, isSecure, type ProxyAddress } from "./route.ts";
import { createTunnels, type Tunnels } from "./tunnel.ts";

/** The way out through a proxy. `fetch` takes it by itself; everything else must be given its part. */
export interface Proxy {
  /** For clients on `node:http` (Telegraf) and for `ws`; undefined where the way is direct. */
  agentFor(url: string | URL): Agent | undefined;
  /** For clients on undici, such as discord.js' REST; it is also undici's global one already. */
  readonly dispatcher: Dispatcher;
}

/**
 * Honours HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY for every outgoing connection (see `createRoute`); undefined if
 * every way is direct. Call it once, before discord.js is imported: discord.js remembers the WebSocket class.
 */
export function useProxy(env: Env = process.env): Proxy | undefined {
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

/** How undici opens a connection through a proxy. */
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

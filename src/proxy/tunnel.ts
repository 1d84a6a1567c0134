import { EventEmitter, once } from "node:events";
import type { Agent, ClientRequest } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { HttpsProxyAgent } from "https-proxy-agent";
import { SocksProxyAgent } from "socks-proxy-agent";
import type { ProxyAddress } from "./route.ts";

/** Tunnels through one proxy. */
export interface Tunnels {
  /** The agent for clients on `node:http` and for `ws`; it keeps connections open between calls. */
  readonly agent: Agent;
  /** Opens a tunnel; resolves once it can be written to. Rejects with a `ProxyError` if the proxy fails or refuses. */
  open(to: TunnelTarget): Promise<Socket>;
}

export interface TunnelTarget {
  readonly host: string;
  readonly port: number;
  /** Whether the target uses TLS. */
  readonly secure: boolean;
}

/**
 * The proxy cannot be reached or refuses the connection. It has no cause, which could hold secrets; the message says
 * all.
 */
class ProxyError extends Error {
  override readonly name = "ProxyError";
  readonly code = "proxy";
}

/** How long a SOCKS proxy may take to connect, in ms. */
const TIMEOUT_MS = 30_000;

/** Creates tunnels, by CONNECT or by SOCKS. Plain HTTP goes through a tunnel as well. */
export function createTunnels(proxy: ProxyAddress): Tunnels {
  const agent = createAgent(proxy.url);
  const connect = agent.connect.bind(agent);
  agent.connect = async (request: ClientRequest, options: Parameters<typeof connect>[1]) => {
    let refused = 0;
    request.once("proxyConnect", ({ statusCode }: { statusCode: number }) => {
      if (statusCode !== 200) refused = statusCode;
    });
    try {
      const socket = await connect(request, options);
      if (refused === 0) return socket;
      // The client would take the response of the proxy for one of the service.
      socket.destroy();
    } catch (error) {
      throw explain(proxy, reasonOf(error));
    }
    throw explain(proxy, refusalOf(refused));
  };
  return {
    agent,
    open: async ({ host, port, secure }) => {
      // The agents require a request, but use only its events.
      const request = Object.assign(new EventEmitter(), {
        destroy: () => undefined,
      }) as unknown as ClientRequest;
      const options = { host, port, secureEndpoint: secure, ALPNProtocols: ["http/1.1"] };
      const socket = await agent.connect(request, options);
      if (socket instanceof TLSSocket) await once(socket, "secureConnect");
      return socket;
    },
  };
}

function createAgent(url: URL) {
  const options = { keepAlive: true } as const;
  return url.protocol.startsWith("socks")
    ? new SocksProxyAgent(url, { ...options, timeout: TIMEOUT_MS })
    : new HttpsProxyAgent(url, options);
}

function explain({ url, setting }: ProxyAddress, what: string): ProxyError {
  return new ProxyError(`the proxy ${url.host} (${setting}) ${what}`);
}

function refusalOf(status: number): string {
  if (status === 407) return `${UNAUTHORIZED} (407)`;
  return `refused the connection (${status}): check its log, or add the host to NO_PROXY`;
}

const UNAUTHORIZED =
  "rejected the user name or password, or requires them: write user:password@ before its host";

function reasonOf(error: unknown): string {
  const { code: own, message } = error as { code?: string; message?: string };
  // The SOCKS package reports no codes, only sentences.
  const code = own ?? /\bE[A-Z]{4,}\b/.exec(message ?? "")?.[0];
  if (code && /^E[A-Z_]+$/.test(code))
    return `cannot be reached (${code}): check that it is running, and that the address is right`;
  if (/authentication/i.test(message ?? "")) return UNAUTHORIZED;
  return `refused the connection (${(message ?? "").slice(0, 100) || "no reason given"})`;
}

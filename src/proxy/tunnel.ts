import { EventEmitter, once } from "node:events";
import type { Agent, ClientRequest } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { HttpsProxyAgent } from "https-proxy-agent";
import { SocksProxyAgent } from "socks-proxy-agent";
import type { ProxyAddress } from "./route.ts";

/** Ways through one proxy to anywhere. */
export interface Tunnels {
  /** For clients on `node:http` and for `ws`; it keeps connections open between calls. */
  readonly agent: Agent;
  /** Opens one; resolves once it can be written to. Rejects with a `ProxyError` if the proxy is to blame. */
  open(to: Target): Promise<Socket>;
}

export interface Target {
  readonly host: string;
  readonly port: number;
  /** TLS is spoken there. */
  readonly secure: boolean;
}

/** The proxy is away, or does not let through. Has no cause: what says more is in the message, without secrets. */
class ProxyError extends Error {
  override readonly name = "ProxyError";
  readonly code = "proxy";
}

/** How long a SOCKS proxy may take to connect, in ms. */
const TIMEOUT_MS = 30_000;

/** Everything goes through a tunnel: by CONNECT, or by SOCKS. */
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
      // What the proxy says would be taken for an answer of the service.
      socket.destroy();
    } catch (error) {
      throw explain(proxy, reasonOf(error));
    }
    throw explain(proxy, refusalOf(refused));
  };
  return {
    agent,
    open: async ({ host, port, secure }) => {
      // Whoever calls needs no request: of one only its events are used.
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
  if (status === 407) return `${WHO} (407)`;
  return `does not let through (${status}): see its own log, or add the host to NO_PROXY`;
}

const WHO = "wants another user name or password: write them as user:password@ before its host";

function reasonOf(error: unknown): string {
  const { code: own, message } = error as { code?: string; message?: string };
  // The package for SOCKS hands on no codes, only sentences.
  const code = own ?? /\bE[A-Z]{4,}\b/.exec(message ?? "")?.[0];
  if (code && /^E[A-Z_]+$/.test(code))
    return `cannot be reached (${code}): is it running, and is this its address?`;
  if (/authentication/i.test(message ?? "")) return WHO;
  return `does not let through (${(message ?? "").slice(0, 100) || "no reason given"})`;
}

import { isIP } from "node:net";
import type { Ranges } from "./ranges.ts";

/** Tells who is at the other end of a request that may have come through proxies. */
export interface Forwarded {
  /** Whether an address is that of a trusted proxy. */
  isProxy(address: string): boolean;
  /**
   * The address of the client: the peer's own, or what a trusted proxy says in X-Forwarded-For. What stands there
   * further to the left than the first address that is not trusted could be written by anybody, and is ignored.
   */
  client(peer: string | undefined, header: string | undefined): string | undefined;
}

/** Trusts these proxies and nobody else. */
export function createForwarded(trusted: Ranges): Forwarded {
  const isProxy = (address: string) => trusted.has(plain(address));
  return {
    isProxy,
    client: (peer, header) => {
      let client = peer && plain(peer);
      const hops = (header ?? "").split(",").map((hop) => plain(hop.trim()));
      while (client && isProxy(client)) {
        const hop = hops.pop();
        if (hop === undefined || isIP(hop) === 0) break;
        client = hop;
      }
      return client;
    },
  };
}

/** Sockets that take both families write IPv4 addresses as ::ffff:10.0.0.1, and some proxies add a port. */
function plain(address: string): string {
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(address) ?? [];
  const [, withPort] = /^([\d.]+):\d+$/.exec(address) ?? [];
  return (bracketed ?? withPort ?? address).replace(/^::ffff:(?=\d+\.)/i, "");
}

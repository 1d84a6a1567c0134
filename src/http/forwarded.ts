import { isIP } from "node:net";
import type { Ranges } from "./ranges.ts";

/** Finds the client of a request that may have come through proxies. */
export interface Forwarded {
  /** Whether an address is that of a trusted proxy. */
  isProxy(address: string): boolean;
  /**
   * The address of the client: that of the peer, or the last address in X-Forwarded-For that is not a trusted proxy.
   * Any client could have written the addresses to the left of it, so they are ignored.
   */
  client(peer: string | undefined, header: string | undefined): string | undefined;
}

/** Trusts these proxies only. */
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

/** Dual-stack sockets report IPv4 addresses as ::ffff:10.0.0.1, and some proxies add a port: both are removed. */
function plain(address: string): string {
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(address) ?? [];
  const [, withPort] = /^([\d.]+):\d+$/.exec(address) ?? [];
  return (bracketed ?? withPort ?? address).replace(/^::ffff:(?=\d+\.)/i, "");
}

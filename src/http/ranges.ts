import { BlockList, isIP } from "node:net";

/** A set of IP addresses and ranges. */
export interface Ranges {
  /** Adds an address (10.0.0.1, [fd00::7]) or a range (10.0.0.0/8); returns false if the text is neither. */
  add(text: string): boolean;
  /** Whether an address is in the set; false for any other text. */
  has(address: string): boolean;
}

/** Creates an empty set. */
export function createRanges(): Ranges {
  const list = new BlockList();
  return {
    add: (text) => {
      const [, address = "", bits] = /^\[?([0-9a-f.:]+)\]?(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
      const family = isIP(address);
      if (family === 0 || Number(bits ?? 0) > (family === 4 ? 32 : 128)) return false;
      const kind = family === 4 ? "ipv4" : "ipv6";
      if (bits === undefined) list.addAddress(address, kind);
      else list.addSubnet(address, Number(bits), kind);
      return true;
    },
    has: (address) => {
      const family = isIP(address);
      return family !== 0 && list.check(address, family === 4 ? "ipv4" : "ipv6");
    },
  };
}

import { randomBytes } from "node:crypto";
import { isSame } from "./is-same.ts";

/**
 * What the operator may do at the machine that the program runs on: sign in by name, see the status, open the
 * playground. Neither an address nor a header shows that a request comes from there, because a proxy in front may
 * make every request look so. A random token does: it stands in the address that the program prints.
 */
export interface LocalAccess {
  /** An address of this program with the token in it. */
  link(url: string): string;
  /** Whether this is the token. */
  isToken(text: string): boolean;
  /** What a browser keeps in its cookie: the token. */
  readonly token: string;
}

/** The query parameter with the token. */
export const TOKEN_PARAMETER = "token";

/** Makes a new token; it is valid until the program ends. */
export function createLocalAccess(): LocalAccess {
  const token = randomBytes(24).toString("base64url");
  return {
    token,
    link: (url) => {
      const link = new URL(url);
      link.searchParams.set(TOKEN_PARAMETER, token);
      return link.href;
    },
    isToken: (text) => isSame(text, token),
  };
}

/** Whether only processes of this machine can connect to a host. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1)$/i.test(host);
}

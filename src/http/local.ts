import { randomBytes } from "node:crypto";
import { isSame } from "./is-same.ts";

/**
 * Access for the operator at the machine that runs the program: signing in by name, the status page, the playground.
 * Neither an address nor a header proves that a request comes from this machine, because a proxy in front may make every
 * request look local. A random token does: it is part of the URL that the program prints.
 */
export interface LocalAccess {
  /** Adds the token to a URL of this program. */
  link(url: string): string;
  /** Whether this is the token. */
  isToken(text: string): boolean;
  /** The token itself, which a browser keeps in its cookie. */
  readonly token: string;
}

/** The query parameter that holds the token. */
export const TOKEN_PARAMETER = "token";

/** Creates local access with a new token, which is valid until the program ends. */
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

/** Whether only processes on this machine can connect to a host. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1)$/i.test(host);
}

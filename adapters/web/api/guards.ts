import type { Context, Next } from "hono";
import type { SignIn } from "../accounts/sign-in.ts";
import { Refused } from "../refused.ts";
import type { RequestEnv } from "./route.ts";
import type { SecurityLog } from "./security.ts";

/**
 * The page loads nothing from elsewhere, runs no inline code, and cannot be shown by other sites: HTML that a model writes
 * could do nothing even if it got through.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'self'",
].join("; ");

/** Sets the security headers of every response. */
export async function setSecurityHeaders(c: Context, next: Next): Promise<void> {
  await next();
  c.header("content-security-policy", POLICY);
  c.header("x-content-type-options", "nosniff");
  c.header("referrer-policy", "no-referrer");
  c.header("cross-origin-opener-policy", "same-origin");
  c.header("cross-origin-resource-policy", "same-origin");
  // The next person at the same browser must not find conversations in its cache.
  if (/^\/(api|v1)\//.test(c.req.path) && !c.res.headers.get("cache-control")?.includes("no-store"))
    c.header("cache-control", "no-store");
}

/**
 * Admits only users who are signed in. A page says which user it belongs to, by a header, or, for a stream, by a query
 * parameter: a page that was asleep while another tab switched accounts must not act as the new user.
 */
export function requireSession(signIn: SignIn) {
  return async (c: Context<RequestEnv>, next: Next) => {
    const session = await signIn.session(c);
    if (!session) throw new Refused(401, "Please sign in first.");
    const as = c.req.header("x-colloquy-user") ?? encodeURIComponent(c.req.query("as") ?? "");
    if (as && as !== encodeURIComponent(session.user))
      throw new Refused(401, "Another user is now signed in here. Please reload the page.");
    c.set("user", session.user);
    c.set("pass", session.pass);
    await next();
  };
}

/** Refuses requests from other sites: their pages could send a request with the user's cookie. Reading is harmless. */
export function requireSameSite(security: SecurityLog) {
  return async (c: Context<RequestEnv>, next: Next) => {
    const { method, path } = c.req;
    const site = c.req.header("sec-fetch-site");
    const origin = c.req.header("origin");
    const isOwn = site
      ? site === "same-origin" || site === "none"
      : !origin || hostOf(origin) === c.req.header("host");
    if (method === "GET" || isOwn) return next();
    const about = { method, path: path.slice(0, 200), from: hostOf(origin ?? "").slice(0, 200) };
    await security.failed("cross-site", { user: c.var.user, address: c.env.address, ...about });
    throw new Refused(403, "This request comes from another site.");
  };
}

function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).host : "";
}

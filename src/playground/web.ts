import type { Context } from "hono";
import { readBody } from "../http/bodies.ts";
import { ending } from "./stream.ts";

/** The largest request that the web chat accepts, in bytes. */
const MAX_BODY = 9_000_000;

/** Headers that are not passed on: those of one connection (RFC 9110, "Connection"), and those with another value for the worker. */
const OWN = [
  "connection",
  "host",
  "origin",
  "referer",
  "content-length",
  "accept-encoding",
  "transfer-encoding",
];

/** The destination of a request for a user's web chat. */
interface Destination {
  /** The address of the worker's web chat, with its token. */
  readonly url: string | undefined;
  readonly person: string;
  /** The path below which the playground serves this web chat. */
  readonly prefix: string;
}

/** Creates a proxy to the worker's own web chat, which signs each user in. */
export function createWebWindow(): (c: Context, to: Destination) => Promise<Response> {
  /** The session cookie of each user; the browser has only one cookie jar for all of them. */
  const cookies = new Map<string, string>();
  return async (c, { url, person, prefix }) => {
    if (url === undefined) return c.json({ error: "The worker is not ready." }, 503);
    const cookie = cookies.get(person) ?? (await signIn(url, person));
    if (cookie) cookies.set(person, cookie);
    return passOn(c, { url: new URL(url).origin, prefix, cookie });
  };
}

async function signIn(url: string, name: string): Promise<string> {
  const opened = await fetch(url, { redirect: "manual" });
  const response = await fetch(`${new URL(url).origin}/api/session`, {
    method: "POST",
    headers: { "content-type": "application/json", cookie: cookieOf(opened) },
    body: JSON.stringify({ name }),
  });
  return cookieOf(response);
}

function cookieOf(response: Response): string {
  return response.headers.get("set-cookie")?.split(";")[0] ?? "";
}

async function passOn(
  c: Context,
  { url, prefix, cookie }: { readonly url: string; readonly prefix: string; readonly cookie: string },
): Promise<Response> {
  const { method, raw } = c.req;
  const { pathname, search } = new URL(c.req.url);
  const headers = new Headers(raw.headers);
  headers.set("cookie", cookie);
  const hasOrigin = headers.has("origin");
  for (const name of OWN) headers.delete(name);
  if (hasOrigin) headers.set("origin", url);
  const hasBody = method !== "GET" && method !== "HEAD";
  const body = hasBody ? await readBody(raw, MAX_BODY) : new Uint8Array();
  if (!body) return c.json({ error: "The request is too large." }, 413);
  const response = await fetch(`${url}${pathname.slice(prefix.length)}${search}`, {
    method,
    headers,
    redirect: "manual",
    ...(hasBody && { body: new Uint8Array(body) }),
  });
  const passed = new Headers(response.headers);
  // The body has been decompressed.
  for (const name of ["content-encoding", "content-length", "connection", "transfer-encoding", "set-cookie"])
    passed.delete(name);
  // A frame on the playground's page shows it.
  passed.delete("x-frame-options");
  const location = passed.get("location");
  if (location?.startsWith("/")) passed.set("location", prefix + location);
  const policy = passed.get("content-security-policy");
  if (policy) passed.set("content-security-policy", allowFraming(policy));
  return new Response(response.body && ending(response.body), { status: response.status, headers: passed });
}

function allowFraming(policy: string): string {
  return policy.replace(/frame-ancestors [^;]*/, "frame-ancestors 'self'");
}

import type { Context } from "hono";
import { readBody } from "../http/bodies.ts";
import { ending } from "./stream.ts";

/** The largest request that the web chat takes, in bytes. */
const MAX_BODY = 9_000_000;

/** Headers that are between two neighbours and not passed on (RFC 9110, "Connection"), and those that follow from the way. */
const OWN = [
  "connection",
  "host",
  "origin",
  "referer",
  "content-length",
  "accept-encoding",
  "transfer-encoding",
];

/** Where a request goes that came for a person's web chat, below `prefix`. */
interface Way {
  /** The web chat, with its token. */
  readonly url: string | undefined;
  readonly person: string;
  readonly prefix: string;
}

/** Passes requests on to the worker's own web chat, each person signed in, as if they were asked there. */
export function createWebWindow(): (c: Context, way: Way) => Promise<Response> {
  /** By person: the browser has one jar for all of them. */
  const cookies = new Map<string, string>();
  return async (c, way) => {
    const { url, person } = way;
    if (url === undefined) return c.json({ error: "The worker is not ready." }, 503);
    const cookie = cookies.get(person) ?? (await signIn(url, person));
    if (cookie) cookies.set(person, cookie);
    return passOn(c, { url: new URL(url).origin, prefix: way.prefix, cookie });
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
  if (!body) return c.json({ error: "That is too much at once." }, 413);
  const response = await fetch(`${url}${pathname.slice(prefix.length)}${search}`, {
    method,
    headers,
    redirect: "manual",
    ...(hasBody && { body: new Uint8Array(body) }),
  });
  const passed = new Headers(response.headers);
  // It was unpacked on the way.
  for (const name of ["content-encoding", "content-length", "connection", "transfer-encoding", "set-cookie"])
    passed.delete(name);
  // The frame that shows it stands on this page.
  passed.delete("x-frame-options");
  const leads = passed.get("location");
  if (leads?.startsWith("/")) passed.set("location", prefix + leads);
  const policy = passed.get("content-security-policy");
  if (policy) passed.set("content-security-policy", framed(policy));
  return new Response(response.body && ending(response.body), { status: response.status, headers: passed });
}

function framed(policy: string): string {
  return policy.replace(/frame-ancestors [^;]*/, "frame-ancestors 'self'");
}

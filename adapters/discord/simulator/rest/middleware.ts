import type { Context, Next } from "hono";
import type { Fault } from "../faults.ts";
import { checkSizes, readBody } from "./body.ts";
import { refusals } from "./refusal.ts";
import type { Call, Env, RestOptions } from "./rest.ts";

/** The path below which the API is. */
export const BASE = "/api/v10";
/** Routes that need no bot token: they carry an interaction's, or none. */
const TOKENLESS = /^\/(?:interactions|webhooks)\/|^\/gateway$/;

/** Records every call and applies the faults. */
export function record({ calls, faults, token, keep }: RestOptions) {
  return async (c: Context<Env>, next: Next): Promise<Response | void> => {
    const { pathname, search } = new URL(c.req.url);
    const path = pathname.slice(BASE.length);
    const body = await readBody(c.req.raw);
    const asBot = c.req.header("authorization") === `Bot ${token}`;
    const call: Call = {
      method: c.req.method,
      path: path + search,
      body: body.json,
      asBot,
      status: undefined,
    };
    calls.push(call);
    calls.splice(0, Math.max(0, calls.length - keep));
    c.set("body", body);
    c.set("call", call);
    const fault = faults.take(call.method, path);
    if (fault && fault.connection !== "after") return apply(fault, c);
    await next();
    if (fault) return cut(c);
    call.status = c.res.status;
  };
}

function apply(fault: Fault, c: Context<Env>): Promise<Response> | Response {
  if (fault.connection === "hang") return new Promise<Response>(() => {});
  if (fault.connection === "reset") return cut(c);
  const status = fault.status ?? 500;
  c.get("call").status = status;
  const { body = {}, headers } = fault;
  const isText = typeof body === "string";
  return new Response(isText ? body : JSON.stringify(body), {
    status,
    headers: { "content-type": isText ? "text/html" : "application/json", ...headers },
  });
}

function cut(c: Context<Env>): Promise<Response> {
  c.env.incoming.socket.destroy();
  return new Promise<Response>(() => {});
}

/** Answers with 429 beyond the rate limits. Responses to interactions have none. */
export function limitRate({ limiter }: RestOptions) {
  return async (c: Context<Env>, next: Next): Promise<Response | void> => {
    const path = c.get("call").path;
    if (!limiter || path.endsWith("/callback")) return next();
    const verdict = limiter.take(bucketOf(path, c.req.method), c.get("call").asBot);
    if (verdict.waitMs === undefined) {
      await next();
      for (const [name, value] of Object.entries(verdict.headers)) c.header(name, value);
      return undefined;
    }
    const retryAfter = verdict.waitMs / 1000;
    c.get("call").status = 429;
    return c.json(
      { message: "You are being rate limited.", retry_after: retryAfter, global: verdict.global ?? false },
      429,
      { ...verdict.headers, "Retry-After": String(Math.ceil(retryAfter)) },
    );
  };
}

/** Writes to a channel, or by an interaction's token, share a bucket; every other route has its own. */
function bucketOf(path: string, method: string): string {
  const channel = /^\/channels\/\d+\/messages|^\/webhooks\/\d+\/[^/?]+/.exec(path);
  return channel && method !== "GET" ? channel[0] : `${method} ${path}`;
}

/** Refuses requests without the bot's token, except those that carry an interaction's token. */
export function authorize({ token, refusing }: RestOptions) {
  return async (c: Context<Env>, next: Next): Promise<void> => {
    const { path, asBot } = c.get("call");
    const given = c.req.header("authorization");
    if (given ? refusing.token || given !== `Bot ${token}` : !asBot && !TOKENLESS.test(path))
      throw refusals.unauthorized();
    await next();
  };
}

/** Refuses requests and files that are too large. */
export function limitSize({ fileBytes }: RestOptions) {
  return async (c: Context<Env>, next: Next): Promise<void> => {
    checkSizes(c.get("body"), Number(c.req.header("content-length") ?? 0), fileBytes);
    await next();
  };
}

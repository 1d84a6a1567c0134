import { type HttpBindings, serve, type ServerType } from "@hono/node-server";
import { type Context, Hono, type Next } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import type { Adapter, RequestFrom } from "../adapter.ts";
import { describeError } from "../errors.ts";
import { createFairShare } from "../http/fair-share.ts";
import type { Forwarded } from "../http/forwarded.ts";
import { type LocalAccess, TOKEN_PARAMETER } from "../http/local.ts";
import { type ConnectionLimits, limitConnections, timeLimits } from "../http/connections.ts";

export interface ServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly adapters: readonly Adapter[];
  /** How long a request may take until it is here as a whole, in ms; 30 s if absent. */
  readonly requestMs?: number;
  /** How the operator at this machine is known; nothing counts as local if absent. */
  readonly local?: LocalAccess | undefined;
  /** Who is behind the proxies in front of the port; every peer is a client itself if absent. */
  readonly forwarded?: Forwarded;
  /** How many connections there may be; the usual limits if absent. */
  readonly connections?: ConnectionLimits;
  /** What is served beside that, at addresses of its own. */
  readonly pages?: readonly Pages[];
  /** Why the program is not ready, by part; empty if it is. */
  readonly health: () => Readonly<Record<string, string>>;
}

/** Pages of our own. */
export interface Pages {
  readonly paths: readonly string[];
  readonly app: Pick<Hono<{ Bindings: RequestFrom }>, "fetch">;
}

/** A request is a few kB: who needs longer, in ms, only wants to keep a connection. */
const REQUEST_MS = 30_000;

type Env = { Bindings: HttpBindings };

/** The one HTTP port. */
export interface Server {
  readonly url: string;
  /** How many connections are open, those of pages that listen among them. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

/** Serves webhooks and health; rejects with a sentence if the port cannot be had. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const server = await listen(routes(options), options);
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : options.port;
  return {
    url: `http://${options.host.includes(":") ? `[${options.host}]` : options.host}:${port}`,
    connections: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ("closeAllConnections" in server) server.closeAllConnections();
      }),
  };
}

function routes({ adapters, health, local, forwarded, pages = [] }: ServerOptions): Hono<Env> {
  const app = new Hono<Env>();
  const from = (c: Context<Env>): RequestFrom => {
    const peer = c.env.incoming.socket.remoteAddress;
    const address = forwarded ? forwarded.client(peer, c.req.header("x-forwarded-for")) : peer;
    return { address, ...(local && { local: isLocal(c, local) }) };
  };
  app.use(async (c, next) => {
    await next();
    // Nobody reads the body of a GET: instead of throwing it away as it comes, the connection ends.
    const { method, complete } = c.env.incoming;
    if (!complete && (method === "GET" || method === "HEAD")) c.header("connection", "close");
  });
  if (local) app.get("*", (c, next) => keepToken(c, next, local));
  // Alive: the process answers. Ready: every platform is connected and the store works.
  app.get("/healthz", (c) => c.json({ alive: true }));
  app.get("/readyz", (c) => {
    const found = health();
    const ready = Object.keys(found).length === 0;
    // To strangers no more than that: what is wrong names hosts, files and settings.
    return c.json({ ready, ...(!ready && from(c).local && { health: found }) }, ready ? 200 : 503);
  });
  for (const { paths, app: own } of pages)
    for (const path of paths) app.all(path, (c) => own.fetch(c.req.raw, from(c)));
  for (const adapter of adapters) {
    const { http } = adapter;
    if (!http) continue;
    const path =
      http.mount === undefined ? `/webhooks/${adapter.name}` : `${http.mount.replace(/\/$/, "")}/*`;
    app.all(path, (c) => http.fetch(c.req.raw, from(c)));
  }
  app.onError((error, c) => c.json({ error: `The request could not be handled: ${error.name}` }, 500));
  return app;
}

/** Keeps the token of the printed address in a cookie, and leads on to the same address without it. */
async function keepToken(c: Context<Env>, next: Next, local: LocalAccess): Promise<Response | undefined> {
  const token = c.req.query(TOKEN_PARAMETER);
  if (token === undefined || !local.isToken(token)) {
    await next();
    return undefined;
  }
  // Lax: the address may be opened from a page, such as a terminal that runs in the browser.
  setCookie(c, cookieName(c), token, { httpOnly: true, sameSite: "Lax", path: "/" });
  c.header("cache-control", "no-store");
  const { pathname, searchParams } = new URL(c.req.url);
  searchParams.delete(TOKEN_PARAMETER);
  // A path that begins with two slashes would name another host.
  const path = pathname.replace(/^\/+/, "/");
  return c.redirect(searchParams.size > 0 ? `${path}?${searchParams.toString()}` : path, 303);
}

function isLocal(c: Context<Env>, local: LocalAccess): boolean {
  const bearer = /^Bearer (.+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
  const given = bearer ?? getCookie(c, cookieName(c));
  return given !== undefined && local.isToken(given);
}

/** Browsers do not tell the ports of a machine apart: programs side by side must not overwrite each other's cookie. */
function cookieName(c: Context<Env>): string {
  return `colloquy_local_${c.env.incoming.socket.localPort}`;
}

function listen(
  app: Hono<Env>,
  { host, port, requestMs = REQUEST_MS, connections, forwarded }: ServerOptions,
): Promise<ServerType> {
  // What is late is ended with 408.
  const serverOptions = timeLimits(requestMs);
  const share = createFairShare();
  const fetch: typeof app.fetch = (request, env) => {
    const turn = share();
    return turn ? turn.then(() => app.fetch(request, env)) : app.fetch(request, env);
  };
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: host, port, serverOptions }, () => resolve(server));
    limitConnections(server, { isProxy: (address) => forwarded?.isProxy(address) ?? false, ...connections });
    server.on("error", (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === "EADDRINUSE"
          ? `another program uses port ${port} on ${host}; end it or set HTTP_PORT to a free port`
          : `${describeError(cause)}; check HTTP_HOST and HTTP_PORT`;
      reject(new Error(`The HTTP server cannot start: ${why}`, { cause }));
    });
  });
}

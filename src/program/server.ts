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
  /** 0 means any free port. */
  readonly port: number;
  readonly adapters: readonly Adapter[];
  /** How long it may take to receive a whole request, in ms; 30 s by default. */
  readonly requestMs?: number;
  /** How to recognise the operator at this machine; without it no request counts as local. */
  readonly local?: LocalAccess | undefined;
  /** How to find the client behind trusted proxies; without it every peer is itself the client. */
  readonly forwarded?: Forwarded;
  /** How many connections are allowed; the usual limits by default. */
  readonly connections?: ConnectionLimits;
  /** Further pages, at paths of their own. */
  readonly pages?: readonly Pages[];
  /** Why the program is not ready, by component; empty if it is ready. */
  readonly health: () => Readonly<Record<string, string>>;
}

/** An application that answers at the given paths. */
export interface Pages {
  readonly paths: readonly string[];
  readonly app: Pick<Hono<{ Bindings: RequestFrom }>, "fetch">;
}

/** In ms. A request is a few kB: a client that needs longer only wants to occupy a connection. */
const REQUEST_MS = 30_000;

type Env = { Bindings: HttpBindings };

/** The one HTTP port. */
export interface Server {
  readonly url: string;
  /** How many connections are open, including those of pages that receive events. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

/** Starts the HTTP server; rejects with an `Error` that says what to do if it cannot listen on the port. */
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
    // The body of a GET is not read. Closing the connection avoids receiving the rest of it.
    const { method, complete } = c.env.incoming;
    if (!complete && (method === "GET" || method === "HEAD")) c.header("connection", "close");
  });
  if (local) app.get("*", (c, next) => keepToken(c, next, local));
  // Alive: the process answers. Ready: every platform is connected, and the store works.
  app.get("/healthz", (c) => c.json({ alive: true }));
  app.get("/readyz", (c) => {
    const problems = health();
    const ready = Object.keys(problems).length === 0;
    // Only the operator sees the problems: they name hosts, files and settings. The name of the field is public.
    return c.json({ ready, ...(!ready && from(c).local && { troubles: problems }) }, ready ? 200 : 503);
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

/** Stores the token of the printed address in a cookie, and redirects to the same address without it. */
async function keepToken(c: Context<Env>, next: Next, local: LocalAccess): Promise<Response | undefined> {
  const token = c.req.query(TOKEN_PARAMETER);
  if (token === undefined || !local.isToken(token)) {
    await next();
    return undefined;
  }
  // Lax, because the address may be opened from another page, such as a terminal that runs in the browser.
  setCookie(c, cookieName(c), token, { httpOnly: true, sameSite: "Lax", path: "/" });
  c.header("cache-control", "no-store");
  const { pathname, searchParams } = new URL(c.req.url);
  searchParams.delete(TOKEN_PARAMETER);
  // A path that begins with two slashes names another host.
  const path = pathname.replace(/^\/+/, "/");
  return c.redirect(searchParams.size > 0 ? `${path}?${searchParams.toString()}` : path, 303);
}

function isLocal(c: Context<Env>, local: LocalAccess): boolean {
  const bearer = /^Bearer (.+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
  const given = bearer ?? getCookie(c, cookieName(c));
  return given !== undefined && local.isToken(given);
}

/** Contains the port, because browsers share cookies between all ports of a host. */
function cookieName(c: Context<Env>): string {
  return `colloquy_local_${c.env.incoming.socket.localPort}`;
}

function listen(
  app: Hono<Env>,
  { host, port, requestMs = REQUEST_MS, connections, forwarded }: ServerOptions,
): Promise<ServerType> {
  // A request that takes longer is answered with 408.
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
          ? `another program uses port ${port} on ${host}; stop it, or set HTTP_PORT to a free port`
          : `${describeError(cause)}; check HTTP_HOST and HTTP_PORT`;
      reject(new Error(`The HTTP server cannot start: ${why}`, { cause }));
    });
  });
}

import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono, type Next } from "hono";
import { type Body, checkSizes, readBody, readMessage } from "./body.ts";
import { type RegisteredCommand, registerCommands, withoutLocalizations } from "./commands.ts";
import type { createFaults, Fault } from "./faults.ts";
import type { createLimiter } from "./limiter.ts";
import { type Bot, channelJson, isPublic, messageJson, userJson } from "./payloads.ts";
import { Refusal, refusals } from "./refusal.ts";
import { type Channel, type Entry, isCommand, type World } from "./world.ts";

/** A request that reached the simulated API. */
export interface Call {
  readonly method: string;
  /** After /api/v10, with the query. */
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Whether it carried the bot's token. */
  readonly asBot: boolean;
  /** What it was answered with; undefined while it waits or if the connection was cut. */
  status: number | undefined;
}

/** What the simulated API works on. */
export interface RestOptions {
  readonly bot: Bot;
  readonly token: string;
  /** `token`: the bot's token is refused for now. */
  readonly refusing: { readonly token: boolean };
  readonly world: World;
  readonly calls: Call[];
  readonly faults: ReturnType<typeof createFaults>;
  /** Undefined: no rate limits. */
  readonly limiter: ReturnType<typeof createLimiter> | undefined;
  readonly commands: RegisteredCommand[];
  readonly gatewayUrl: () => string;
  /** How many shards bots are told to have, and how many may begin at once. */
  readonly shards: number;
  readonly maxConcurrency: number;
  /** The largest file, in bytes. */
  readonly fileBytes: number;
  /** So many calls are remembered. */
  readonly keep: number;
}

interface Env {
  Bindings: HttpBindings;
  Variables: { body: Body; call: Call };
}

const BASE = "/api/v10";
/** Discord API docs, "Get Gateway Bot"; the figures of a fresh day. */
const SESSION_START_LIMIT = { total: 1000, remaining: 999, reset_after: 86_400_000 };
/** Requests that need no bot token: they carry the interaction's. */
const TOKENLESS = /^\/(?:interactions|webhooks)\/|^\/gateway$/;

/** Discord's REST API, version 10, as far as a chat bot uses it. */
export function createRest(options: RestOptions): Hono<Env> {
  const app = new Hono<Env>().basePath(BASE);
  app.use(recorder(options), limits(options), authorization(options), sizes(options));
  identityRoutes(app, options);
  commandRoutes(app, options);
  channelRoutes(app, options);
  interactionRoutes(app, options);
  app.onError((error) => {
    if (!(error instanceof Refusal)) throw error;
    return Response.json(error.body, { status: error.status });
  });
  const root = new Hono<Env>().route("/", app);
  return root.notFound((c) => c.json(refusals.notFound().body, 404));
}

/** Writes every call down and plays the faults. */
function recorder({ calls, faults, token, keep }: RestOptions) {
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
    if (fault && fault.connection !== "after") return play(fault, c);
    await next();
    if (fault) return cut(c);
    call.status = c.res.status;
  };
}

function play(fault: Fault, c: Context<Env>): Promise<Response> | Response {
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

function limits({ limiter }: RestOptions) {
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

/** Messages share one bucket per channel or token; everything else has one per route. */
function bucketOf(path: string, method: string): string {
  const channel = /^\/channels\/\d+\/messages|^\/webhooks\/\d+\/[^/?]+/.exec(path);
  return channel && method !== "GET" ? channel[0] : `${method} ${path}`;
}

function authorization({ token, refusing }: RestOptions) {
  return async (c: Context<Env>, next: Next): Promise<void> => {
    const { path, asBot } = c.get("call");
    const given = c.req.header("authorization");
    if (given ? refusing.token || given !== `Bot ${token}` : !asBot && !TOKENLESS.test(path))
      throw refusals.unauthorized();
    await next();
  };
}

function sizes({ fileBytes }: RestOptions) {
  return async (c: Context<Env>, next: Next): Promise<void> => {
    checkSizes(c.get("body"), Number(c.req.header("content-length") ?? 0), fileBytes);
    await next();
  };
}

function identityRoutes(app: Hono<Env>, { bot, gatewayUrl, shards, maxConcurrency }: RestOptions): void {
  const application = { id: bot.applicationId, name: bot.name, flags: 0, bot: userJson(undefined, bot) };
  app.get("/gateway", (c) => c.json({ url: gatewayUrl() }));
  app.get("/gateway/bot", (c) => {
    const limit = { ...SESSION_START_LIMIT, max_concurrency: maxConcurrency };
    return c.json({ url: gatewayUrl(), shards, session_start_limit: limit });
  });
  app.get("/users/@me", (c) => c.json(userJson(undefined, bot)));
  app.get("/applications/@me", (c) => c.json(application));
  app.get("/oauth2/applications/@me", (c) => c.json(application));
}

function commandRoutes(app: Hono<Env>, { bot, commands }: RestOptions): void {
  const path = `/applications/${bot.applicationId}/commands`;
  app.get(path, (c) =>
    c.json(c.req.query("with_localizations") === "true" ? commands : commands.map(withoutLocalizations)),
  );
  app.put(path, (c) => {
    commands.splice(0, Infinity, ...registerCommands(bot.applicationId, c.get("body").json.list));
    return c.json(commands);
  });
}

function channelRoutes(app: Hono<Env>, { world, bot }: RestOptions): void {
  const channelOf = (c: Context<Env>) => world.openChannel(c.req.param("channel") ?? "");
  const find = (c: Context<Env>) => {
    const channel = channelOf(c);
    return { channel, entry: world.message(channel, c.req.param("message") ?? "") };
  };
  app.post("/users/@me/channels", (c) => {
    const person = world.recipient(c.get("body").json.recipient_id);
    return c.json(channelJson(world.directChannel(person), bot));
  });
  app.get("/channels/:channel", (c) => c.json(channelJson(channelOf(c), bot)));
  app.post("/channels/:channel/typing", (c) => {
    world.type(channelOf(c));
    return c.body(null, 204);
  });
  app.get("/channels/:channel/messages", (c) => {
    const channel = channelOf(c);
    return c.json(history(channel, c.req.query()).map((entry) => messageJson(entry, channel, bot)));
  });
  app.get("/channels/:channel/messages/:message", (c) => {
    const { channel, entry } = find(c);
    return c.json(messageJson(entry, channel, bot));
  });
  app.post("/channels/:channel/messages", (c) => {
    const channel = channelOf(c);
    return c.json(messageJson(world.post(channel, readMessage(c.get("body"))), channel, bot));
  });
  app.patch("/channels/:channel/messages/:message", (c) => {
    const { channel, entry } = find(c);
    if (entry.author) throw refusals.notYours();
    return c.json(messageJson(world.edit(channel, entry, readMessage(c.get("body"))), channel, bot));
  });
  app.delete("/channels/:channel/messages/:message", (c) => {
    const { channel, entry } = find(c);
    if (entry.author) throw refusals.missingAccess();
    world.remove(channel, entry);
    return c.body(null, 204);
  });
}

/** Newest first, as Discord lists them. */
function history(channel: Channel, query: Record<string, string>): Entry[] {
  const limit = Math.min(100, Math.max(1, Number(query.limit ?? 50)));
  const messages = channel.entries.filter((entry) => !isCommand(entry) && isPublic(entry));
  const after = query.after;
  if (after)
    return messages
      .filter((entry) => BigInt(entry.id) > BigInt(after))
      .slice(0, limit)
      .toReversed();
  return messages.slice(-limit).toReversed();
}

function interactionRoutes(app: Hono<Env>, { world, bot }: RestOptions): void {
  app.post("/interactions/:id/:token/callback", (c) => {
    const { json, files } = c.get("body");
    const data = typeof json.data === "object" && json.data !== null ? { ...json.data } : {};
    const type = Number(json.type);
    if (type !== 4 && type !== 5) throw new Refusal(400, { code: 50035, message: "Invalid Form Body" });
    world.respond(c.req.param("id"), c.req.param("token"), {
      type,
      body: readMessage({ json: data, files }),
    });
    return c.body(null, 204);
  });
  const webhook = `/webhooks/${bot.applicationId}/:token` as const;
  const message = `${webhook}/messages/:message` as const;
  const find = (c: Context<Env>) =>
    world.webhookMessage(c.req.param("token") ?? "", c.req.param("message") ?? "");
  app.post(webhook, (c) => {
    const token = c.req.param("token");
    const entry = world.followUp(token, readMessage(c.get("body")));
    return c.json(messageJson(entry, world.webhook(token).channel, bot));
  });
  app.get(message, (c) => {
    const { channel, entry } = find(c);
    return c.json(messageJson(entry, channel, bot));
  });
  app.patch(message, (c) => {
    const { channel, entry } = find(c);
    return c.json(messageJson(world.edit(channel, entry, readMessage(c.get("body"))), channel, bot));
  });
  app.delete(message, (c) => {
    const { channel, entry } = find(c);
    world.remove(channel, entry);
    return c.body(null, 204);
  });
  app.all("/webhooks/*", () => {
    throw refusals.unknownWebhook();
  });
}

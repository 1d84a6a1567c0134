import type { HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import type { createFaults } from "../faults.ts";
import { type Bot, userJson } from "../payloads.ts";
import type { World } from "../world.ts";
import type { Body } from "./body.ts";
import { addChannelRoutes } from "./channel-routes.ts";
import { type RegisteredCommand, registerCommands, withoutLocalizations } from "./commands.ts";
import { addInteractionRoutes } from "./interaction-routes.ts";
import type { createLimiter } from "./limiter.ts";
import { authorize, BASE, limitRate, limitSize, record } from "./middleware.ts";
import { Refusal, refusals } from "./refusal.ts";

/** A request that reached the simulated API. */
export interface Call {
  readonly method: string;
  /** The path after /api/v10, with the query. */
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Whether it carried the bot's token. */
  readonly asBot: boolean;
  /** The answer's status; undefined while there is none, or if the connection was cut. */
  status: number | undefined;
}

/** The state and the limits of the simulated API. */
export interface RestOptions {
  readonly bot: Bot;
  readonly token: string;
  /** Whether the bot's token is refused right now. */
  readonly refusing: { readonly token: boolean };
  readonly world: World;
  readonly calls: Call[];
  readonly faults: ReturnType<typeof createFaults>;
  /** Undefined if there are no rate limits. */
  readonly limiter: ReturnType<typeof createLimiter> | undefined;
  readonly commands: RegisteredCommand[];
  readonly gatewayUrl: () => string;
  /** The recommended number of shards, and how many may open a session at once. */
  readonly shards: number;
  readonly maxConcurrency: number;
  /** The largest file, in bytes. */
  readonly fileBytes: number;
  /** How many calls to keep. */
  readonly keep: number;
}

/** The environment of a request in Hono. */
export interface Env {
  Bindings: HttpBindings;
  Variables: { body: Body; call: Call };
}

/** API docs, "Get Gateway Bot"; the figures of a day that has just begun. */
const SESSION_START_LIMIT = { total: 1000, remaining: 999, reset_after: 86_400_000 };

/** Creates the parts of Discord's REST API, version 10, that a chat bot uses. */
export function createRest(options: RestOptions): Hono<Env> {
  const app = new Hono<Env>().basePath(BASE);
  app.use(record(options), limitRate(options), authorize(options), limitSize(options));
  addIdentityRoutes(app, options);
  addCommandRoutes(app, options);
  addChannelRoutes(app, options);
  addInteractionRoutes(app, options);
  app.onError((error) => {
    if (!(error instanceof Refusal)) throw error;
    return Response.json(error.body, { status: error.status });
  });
  const root = new Hono<Env>().route("/", app);
  return root.notFound((c) => c.json(refusals.notFound().body, 404));
}

function addIdentityRoutes(app: Hono<Env>, { bot, gatewayUrl, shards, maxConcurrency }: RestOptions): void {
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

function addCommandRoutes(app: Hono<Env>, { bot, commands }: RestOptions): void {
  const path = `/applications/${bot.applicationId}/commands`;
  app.get(path, (c) =>
    c.json(c.req.query("with_localizations") === "true" ? commands : commands.map(withoutLocalizations)),
  );
  app.put(path, (c) => {
    commands.splice(0, Infinity, ...registerCommands(bot.applicationId, c.get("body").json.list));
    return c.json(commands);
  });
}

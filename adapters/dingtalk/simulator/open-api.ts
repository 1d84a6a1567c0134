import { randomUUID } from "node:crypto";
import type { HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { type Context, Hono } from "hono";
import type { Cards } from "./cards.ts";
import type { CallName, Fault, Faults } from "./faults.ts";
import { Refusal } from "./refusal.ts";
import type { Robot } from "./robot.ts";

/** A call of the robot. */
export interface SimulatedCall {
  readonly name: CallName;
  readonly payload: unknown;
  /** In ms since the epoch. */
  readonly at: number;
}

/** The state and the limits of the open API. */
export interface OpenApiOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Lifetime of an access token, in seconds. */
  readonly tokenSeconds: number;
  readonly robot: Robot;
  readonly cards: Cards;
  readonly faults: Faults;
  /** The endpoint and a new ticket for a Stream connection. */
  readonly openConnection: () => { readonly endpoint: string; readonly ticket: string };
  readonly record: (call: SimulatedCall) => void;
}

/** DingTalk's open API over HTTP. */
export interface OpenApi {
  readonly fetch: Hono<Env>["fetch"];
  /** Revokes all access tokens. */
  expireTokens(): void;
  /** Ends the requests that a fault left hanging. */
  close(): void;
}

type Env = { Bindings: HttpBindings };

const PORTAL = "<!doctype html><title>Hotel Wi-Fi</title><p>Please log in to use the internet.</p>";

/** Creates the parts of the open API that the robot uses. */
export function createOpenApi(options: OpenApiOptions): OpenApi {
  const { clientId, clientSecret, tokenSeconds, robot, cards, faults, record } = options;
  const over = new AbortController();
  /** When each token expires, in ms since the epoch. */
  const tokens = new Map<string, number>();
  const app = new Hono<Env>();

  route("token", "/v1.0/oauth2/accessToken", ({ appKey, appSecret }) => {
    if (appKey !== clientId || appSecret !== clientSecret)
      throw new Refusal(400, "invalidClientIdOrSecret", "无效的clientId或者clientSecret");
    const accessToken = randomUUID().replaceAll("-", "");
    tokens.set(accessToken, Date.now() + tokenSeconds * 1000);
    return { accessToken, expireIn: tokenSeconds };
  });
  route("open", "/v1.0/gateway/connections/open", (fields) => {
    if (fields["clientId"] !== clientId || fields["clientSecret"] !== clientSecret)
      throw new Refusal(401, "authFailed", "鉴权失败");
    return options.openConnection();
  });
  authorizedRoute("person", "/v1.0/robot/oToMessages/batchSend", (fields) => robot.toPerson(fields));
  authorizedRoute("group", "/v1.0/robot/groupMessages/send", (fields) => robot.toGroup(fields));
  authorizedRoute("card", "/v1.0/card/instances/createAndDeliver", (fields) =>
    cards.createAndDeliver(fields),
  );
  authorizedRoute("streaming", "/v1.0/card/streaming", (fields) => cards.stream(fields));
  route("webhook", "/robot/sendBySession", (fields, c) =>
    robot.webhook(c.req.query("session") ?? "", fields),
  );
  app.notFound(() => refuse(new Refusal(404, "InvalidAction.NotFound", "no such API")));

  return { fetch: app.fetch, expireTokens: () => tokens.clear(), close: () => over.abort() };

  /** Adds a route that needs an access token. */
  function authorizedRoute(
    name: CallName,
    path: string,
    act: (fields: Record<string, unknown>) => object,
  ): void {
    route(name, path, (fields, c) => {
      const until = tokens.get(c.req.header("x-acs-dingtalk-access-token") ?? "") ?? 0;
      if (until <= Date.now()) throw new Refusal(400, "InvalidAuthentication", "不合法的access_token");
      return act(fields);
    });
  }

  function route(
    name: CallName,
    path: string,
    act: (fields: Record<string, unknown>, c: Context<Env>) => object,
  ): void {
    app.on(name === "streaming" ? "PUT" : "POST", path, async (c) => {
      const payload: unknown = await c.req.json().catch(() => ({}));
      record({ name, payload, at: Date.now() });
      const perform = () => attempt(() => act(Object(payload) as Record<string, unknown>, c));
      const how = faults.meet(name);
      return how === undefined ? perform() : applyFault(c, how, perform);
    });
  }

  async function applyFault(c: Context<Env>, how: Fault["how"], perform: () => Response): Promise<Response> {
    if (how === "html") return c.html(PORTAL);
    if (typeof how === "object")
      return Response.json(how.body ?? { code: "simulated", message: "simulated fault" }, {
        status: how.status,
      });
    if (how === "after") perform();
    if (how === "hang") await clientGone(c.env);
    c.env.incoming.socket.destroy();
    // A copy: the server (2.1.8) may have a fast path for the original that sends it without checking this mark.
    return RESPONSE_ALREADY_SENT.clone();
  }

  /** Resolves when the client has disconnected, or the simulator is closed. */
  function clientGone({ outgoing }: HttpBindings): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        over.signal.removeEventListener("abort", done);
        resolve();
      };
      outgoing.once("close", done);
      over.signal.addEventListener("abort", done);
    });
  }
}

function attempt(act: () => object): Response {
  try {
    return Response.json(act());
  } catch (error) {
    if (error instanceof Refusal) return refuse(error);
    throw error;
  }
}

function refuse({ status, code, message }: Refusal): Response {
  return Response.json({ requestid: randomUUID().toUpperCase(), code, message }, { status });
}

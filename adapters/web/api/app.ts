import { type Context, Hono } from "hono";
import type { z } from "zod";
import type { RequestFrom } from "../../../src/adapter.ts";
import { type Bodies, createBodies } from "../../../src/http/bodies.ts";
import { addressKey } from "../../../src/http/connections.ts";
import { describeIssues, isCheckable } from "../../../src/http/issues.ts";
import type { Accounts } from "../accounts/accounts.ts";
import { createSignIn, SIGN_IN, type SignInOptions } from "../accounts/sign-in.ts";
import { Refused } from "../refused.ts";
import { createAssets } from "./assets.ts";
import { COMPLETIONS } from "./completions/schemas.ts";
import { createCompletions } from "./completions/completions.ts";
import { createConcurrencyLimit } from "./concurrency-limit.ts";
import { errorResponse, failureResponse } from "./errors.ts";
import { createListeners, EVENT_STREAM, EVENTS, streamUpdates, waitForUpdates } from "./events.ts";
import { requireSameSite, requireSession, setSecurityHeaders } from "./guards.ts";
import { MAX_BODY, MAX_READING_PER_ADDRESS, MAX_READING_PER_USER, MAX_SIGN_IN_BODY } from "./limits.ts";
import { describeApi } from "./openapi.ts";
import type { RequestEnv, ApiRoute } from "./route.ts";
import { createApiRoutes, type ApiOptions } from "./routes/all.ts";
import type { AdapterLog } from "../../../src/log.ts";

export interface AppOptions extends ApiOptions, Pick<SignInOptions, "url" | "watch" | "security"> {
  readonly accounts: Accounts;
  readonly log: AdapterLog;
}

/** Creates the handler of all requests: the page, the sign-in, the API, and the streams of updates. */
export function createApp(options: AppOptions): (request: Request, from?: RequestFrom) => Promise<Response> {
  const { accounts, records, feed, url, watch, security } = options;
  const app = new Hono<RequestEnv>();
  const bodies = createBodies();
  const listeners = createListeners();
  const reading = createConcurrencyLimit();
  const signIn = createSignIn({ accounts, users: () => records.users(), url, watch, security });
  const session = requireSession(signIn);
  const sameSite = requireSameSite(security);
  const routes = createApiRoutes(options);
  app.use(setSecurityHeaders);
  app.onError((error, c) => errorResponse(error, c, options.log));
  app.notFound((c) => failureResponse(c, 404, "There is nothing at this address."));

  app.route("/v1", createCompletions({ ...options, bodies }));
  // Made once: making it takes milliseconds, and anyone may ask for it.
  let document: ReturnType<typeof describeApi> | undefined;
  app.get("/api/openapi.json", (c) =>
    c.json((document ??= describeApi([...SIGN_IN, ...routes, EVENTS, ...COMPLETIONS]))),
  );
  app.get("/api/session", async (c) => c.json(await signIn.state(c)));
  app.post("/api/session", sameSite, async (c) => {
    const who = `address ${addressKey(c.env.address ?? "")}`;
    const limits = { most: MAX_SIGN_IN_BODY, who, mostOfWho: MAX_READING_PER_ADDRESS };
    return c.json(await bodies.read(c.req.raw, limits, (body) => signIn.begin(c, parseJson(c, body))));
  });
  app.delete("/api/session", sameSite, async (c) => {
    await signIn.end(c);
    return c.body(null, 204);
  });
  app.get("/api/events", session, (c) => {
    // No one would read or end the stream that answers a HEAD request.
    if (c.req.method === "HEAD") return c.body(null, 200, EVENT_STREAM);
    const after = c.req.header("last-event-id") ?? c.req.query("after");
    const subscription = { listeners, feed, user: c.var.user, after, watched: watch.follow(c.var.pass) };
    return c.req.query("wait") === undefined
      ? streamUpdates(subscription)
      : waitForUpdates(subscription, c.req.raw.signal);
  });
  for (const route of routes) {
    const path = route.path.replace(/\{(\w+)\}/g, ":$1");
    app.on(route.method.toUpperCase(), path, session, sameSite, (c) =>
      route.method === "get" ? reading.run(c.var.user, () => run(route, c, bodies)) : run(route, c, bodies),
    );
  }
  app.route("/", createAssets());
  return async (request, from) => app.fetch(request, from ?? {});
}

async function run(route: ApiRoute, c: Context<RequestEnv>, bodies: Bodies): Promise<Response> {
  const { user } = c.var;
  const query = route.query && check(route.query, c.req.query());
  const request = { user, path: c.req.param(), query };
  const { body: schema } = route;
  const limits = {
    most: route.maxBody ?? MAX_BODY,
    who: `person ${user}`,
    mostOfWho: MAX_READING_PER_USER,
  };
  const response = schema
    ? await bodies.read(c.req.raw, limits, (body) =>
        route.run({ ...request, body: check(schema, parseJson(c, body)) }),
      )
    : await route.run({ ...request, body: undefined });
  if (response instanceof Response) return response;
  return response === undefined ? c.body(null, 204) : c.json(response as object);
}

function check(schema: z.ZodType, given: unknown): unknown {
  if (!isCheckable(given)) throw new Refused(400, "The request has too many parts.");
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new Refused(400, describeIssues(parsed.error));
}

function parseJson(c: Context, body: Buffer): unknown {
  if (!c.req.header("content-type")?.startsWith("application/json"))
    throw new Refused(400, "The request must be JSON (content-type: application/json).");
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new Refused(400, "The request is not valid JSON.");
  }
}

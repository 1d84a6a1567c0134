import { type Context, Hono, type Next } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { z } from "zod";
import type { RequestFrom } from "../../../src/adapter.ts";
import { BodyRefused, type Bodies, createBodies } from "../../../src/http/bodies.ts";
import { describeError, Overflow } from "../../../src/errors.ts";
import { addressKey } from "../../../src/http/connections.ts";
import { describeIssues, isCheckable } from "../../../src/http/issues.ts";
import type { Accounts } from "../accounts/accounts.ts";
import { type ApiOptions, createApi } from "./api.ts";
import { createAssets } from "./assets.ts";
import { createAtOnce } from "./at-once.ts";
import { createListeners, EVENT_STREAM, EVENTS, streamNews, waitForNews } from "./events.ts";
import { COMPLETIONS, createCompletions, describeFailure } from "./completions.ts";
import { describeApi } from "./openapi.ts";
import { type Env, Refused, type Route } from "./route.ts";
import { MAX_OF_A_PERSON } from "./images.ts";
import type { Log, SecurityLog } from "./security.ts";
import { createSignIn, SIGN_IN, type SignIn, type SignInOptions } from "../accounts/sign-in.ts";

export interface RoutesOptions extends ApiOptions, Pick<SignInOptions, "url" | "watch" | "security"> {
  readonly accounts: Accounts;
  readonly log: Log;
}

/** The largest request, in bytes: the longest message, in the longest encoding. */
const MAX_BODY = 700_000;

/** A sign-in is a name or a key, in bytes. */
const MAX_SIGN_IN_BODY = 4_096;

/** Of strangers at one address this much is read at once, in bytes. */
const MAX_OF_STRANGERS = 16 * MAX_SIGN_IN_BODY;

/** Where too much waits already, it is worth another try after this time, in seconds. */
const OVERFLOW_S = 5;

/**
 * Nothing from elsewhere is loaded, nothing that stands in the page runs, and nobody else's page may show it: what the
 * model writes could do nothing, even if it came through as HTML.
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

/** The page, its sign-in, its API and its news, as one function of requests. */
export function createRoutes(
  options: RoutesOptions,
): (request: Request, from?: RequestFrom) => Promise<Response> {
  const { accounts, records, feed, url, watch, security } = options;
  const app = new Hono<Env>();
  const bodies = createBodies();
  const listeners = createListeners();
  const reading = createAtOnce();
  const signIn = createSignIn({ accounts, users: () => records.users(), url, watch, security });
  const sameSite = refuseOtherSites(security);
  const api = createApi(options);
  app.use(secure);
  app.onError((error, c) => answerError(error, c, options.log));
  app.notFound((c) => answerNotDone(c, 404, "There is nothing at this address."));

  app.route("/v1", createCompletions({ ...options, bodies }));
  // It takes milliseconds to make, and anybody may ask for it.
  let described: ReturnType<typeof describeApi> | undefined;
  app.get("/api/openapi.json", (c) =>
    c.json((described ??= describeApi([...SIGN_IN, ...api, EVENTS, ...COMPLETIONS]))),
  );
  app.get("/api/session", async (c) => c.json(await signIn.state(c)));
  app.post("/api/session", sameSite, async (c) => {
    const limits = { most: MAX_SIGN_IN_BODY, who: addressOf(c), mostOfWho: MAX_OF_STRANGERS };
    return c.json(await bodies.read(c.req.raw, limits, (body) => signIn.begin(c, jsonOf(c, body))));
  });
  app.delete("/api/session", sameSite, async (c) => {
    await signIn.end(c);
    return c.body(null, 204);
  });
  app.get("/api/events", identify(signIn), (c) => {
    // Of the answer to a HEAD nobody reads the stream, and nobody would end it.
    if (c.req.method === "HEAD") return c.body(null, 200, EVENT_STREAM);
    const after = c.req.header("last-event-id") ?? c.req.query("after");
    const following = { listeners, feed, user: c.var.user, after, watched: watch.follow(c.var.pass) };
    return c.req.query("wait") === undefined
      ? streamNews(following)
      : waitForNews(following, c.req.raw.signal);
  });
  for (const route of api) {
    app.on(
      route.method.toUpperCase(),
      route.path.replace(/\{(\w+)\}/g, ":$1"),
      identify(signIn),
      sameSite,
      (c) =>
        route.method === "get" ? reading.run(c.var.user, () => run(route, c, bodies)) : run(route, c, bodies),
    );
  }
  app.route("/", createAssets());
  return async (request, from) => app.fetch(request, from ?? {});
}

async function run(route: Route, c: Context<Env>, bodies: Bodies): Promise<Response> {
  const { user } = c.var;
  const query = route.query && check(route.query, c.req.query());
  const asked = { user, path: c.req.param(), query };
  const { body: schema } = route;
  const limits = { most: route.largest ?? MAX_BODY, who: `person ${user}`, mostOfWho: MAX_OF_A_PERSON };
  const answer = schema
    ? await bodies.read(c.req.raw, limits, (body) =>
        route.run({ ...asked, body: check(schema, jsonOf(c, body)) }),
      )
    : await route.run({ ...asked, body: undefined });
  if (answer instanceof Response) return answer;
  return answer === undefined ? c.body(null, 204) : c.json(answer as object);
}

function check(schema: z.ZodType, given: unknown): unknown {
  if (!isCheckable(given)) throw new Refused(400, "The request has too many parts.");
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new Refused(400, describeIssues(parsed.error));
}

function jsonOf(c: Context, body: Buffer): unknown {
  if (!c.req.header("content-type")?.startsWith("application/json"))
    throw new Refused(400, "The request must be JSON (content-type: application/json).");
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new Refused(400, "The request is no valid JSON.");
  }
}

/** Who asks, before they are known. */
function addressOf(c: Context<Env>): string {
  return `address ${addressKey(c.env.address ?? "")}`;
}

/**
 * Only people who are signed in. A page says whose it is: one that has slept while another tab switched accounts must not
 * go on in the new one's name. (A stream cannot be asked for with a header.)
 */
function identify(signIn: SignIn) {
  return async (c: Context<Env>, next: Next) => {
    const session = await signIn.session(c);
    if (!session) throw new Refused(401, "Please sign in first.");
    const as = c.req.header("x-colloquy-user") ?? encodeURIComponent(c.req.query("as") ?? "");
    if (as && as !== encodeURIComponent(session.user))
      throw new Refused(401, "Somebody else is signed in here by now. Please load the page anew.");
    c.set("user", session.user);
    c.set("pass", session.pass);
    await next();
  };
}

/** Another site's page could send a request with the person's cookie: what changes something must come from our own. */
function refuseOtherSites(security: SecurityLog) {
  return async (c: Context<Env>, next: Next) => {
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

async function secure(c: Context, next: Next) {
  await next();
  c.header("content-security-policy", POLICY);
  c.header("x-content-type-options", "nosniff");
  c.header("referrer-policy", "no-referrer");
  c.header("cross-origin-opener-policy", "same-origin");
  c.header("cross-origin-resource-policy", "same-origin");
  // What people said must not be found by the next person at that browser.
  if (/^\/(api|v1)\//.test(c.req.path) && !c.res.headers.get("cache-control")?.includes("no-store"))
    c.header("cache-control", "no-store");
}

function answerError(error: Error, c: Context, log: Log): Response {
  const isLater = error instanceof Refused && error.retryAfterS !== undefined;
  if (isLater) c.header("retry-after", String(error.retryAfterS));
  if (error instanceof BodyRefused && error.status >= 429) c.header("retry-after", "1");
  if (error instanceof Refused && error.more)
    return c.json({ error: error.message, ...error.more }, error.status);
  if (error instanceof Refused || error instanceof BodyRefused || error instanceof HTTPException)
    return answerNotDone(c, error.status, error.message);
  if (error instanceof Overflow) {
    c.header("retry-after", String(OVERFLOW_S));
    return answerNotDone(c, 429, "Too much is waiting for an answer already.");
  }
  log.error({ err: error }, `a request of the web chat failed: ${describeError(error)}`);
  return answerNotDone(c, 503, "Something went wrong on the server. Please try again.");
}

/** Clients of OpenAI's API are answered as they know it. */
function answerNotDone(c: Context, status: ContentfulStatusCode, message: string): Response {
  return c.json(
    c.req.path.startsWith("/v1/") ? describeFailure(status, message) : { error: message },
    status,
  );
}

import { type Context, Hono } from "hono";
import { RateLimiterMemory } from "rate-limiter-flexible";
import type { RequestFrom } from "../adapter.ts";
import { addressKey } from "../http/connections.ts";
import { isSame } from "../http/is-same.ts";
import { STYLE, type StatusPage, statusPage } from "./status-page.ts";

export interface StatusOptions extends StatusPage {
  /** Admits the operator from other machines; without it only the operator at this machine has access. */
  readonly token: string | undefined;
}

type Env = { Bindings: RequestFrom };

/** How many wrong tokens an address may send in a minute. */
const MAX_TRIES = 10;

const POLICY =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Creates the pages for the operator: `/metrics` for Prometheus, and `/status` for people. */
export function createStatus(options: StatusOptions): Hono<Env> {
  const { metrics, token } = options;
  const tries = new RateLimiterMemory({ points: MAX_TRIES, duration: 60 });
  const app = new Hono<Env>();
  app.use(async (c, next) => {
    const refusal = await refuse(c);
    if (refusal) return refusal;
    await next();
    c.header("content-security-policy", POLICY);
    c.header("cache-control", "no-store");
    c.header("x-content-type-options", "nosniff");
    return undefined;
  });
  app.get("/metrics", async (c) =>
    c.text(await metrics.text(), 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }),
  );
  app.get("/status/style.css", (c) => c.body(STYLE, 200, { "content-type": "text/css; charset=utf-8" }));
  app.get("/status", async (c) => c.html(await statusPage(options, c.req.header("accept-language") ?? "en")));
  return app;

  /** The response to a client without access; undefined if it has access. */
  async function refuse(c: Context<Env>): Promise<Response | undefined> {
    const { address = "", local } = c.env;
    const given = tokenIn(c.req.header("authorization") ?? "");
    if (local === true || (token !== undefined && given !== undefined && isSame(given, token)))
      return undefined;
    if (given !== undefined && !(await mayTry(address)))
      return c.text("Too many tries. Please wait a minute.\n", 429);
    if (token === undefined)
      return c.text(
        local === undefined
          ? "Only the operator has access. Set STATUS_TOKEN, and send it as a Bearer token or as the password.\n"
          : "Only the operator has access. Open the address that the program printed, or set STATUS_TOKEN.\n",
        403,
      );
    c.header("www-authenticate", 'Basic realm="Colloquy", charset="UTF-8"');
    return c.text("Send the STATUS_TOKEN as a Bearer token, or as the password with any user name.\n", 401);
  }

  function mayTry(address: string): Promise<boolean> {
    return tries.consume(addressKey(address)).then(
      () => true,
      () => false,
    );
  }
}

/** The Bearer token of a request, or the password that a browser asked for. */
function tokenIn(header: string): string | undefined {
  const bearer = /^Bearer (.+)$/i.exec(header)?.[1];
  const basic = /^Basic (.+)$/i.exec(header)?.[1];
  return (
    bearer ??
    (basic &&
      Buffer.from(basic, "base64")
        .toString()
        .replace(/^[^:]*:/, ""))
  );
}

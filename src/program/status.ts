import { Hono } from "hono";
import { html } from "hono/html";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { addressKey } from "../http/connections.ts";
import type { RequestFrom } from "../adapter.ts";
import { texts } from "../i18n/texts.ts";
import { isSame } from "../http/is-same.ts";
import type { Figure, Metrics } from "../telemetry/metrics.ts";

export interface StatusOptions {
  readonly metrics: Metrics;
  /** What lets the operator in from elsewhere; without it only the operator at this machine may look. */
  readonly token: string | undefined;
  readonly version: string;
  readonly role: string;
  readonly health: () => Readonly<Record<string, string>>;
}

type Env = { Bindings: RequestFrom };

/** So many wrong tokens are taken from an address in a minute. */
const TRIES = 10;

/** How often the page looks again, in seconds. */
const AGAIN_S = 5;

const POLICY =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}
th,td{text-align:start;padding:.25rem 1rem .25rem 0;border-bottom:1px solid #8886;vertical-align:top}
td.number{text-align:end;font-variant-numeric:tabular-nums}
.bad{color:light-dark(#b3261e,#ff8a80)}`;

/** `/metrics` for Prometheus, and `/status` for the operator's eyes. */
export function createStatus(options: StatusOptions): Hono<Env> {
  const { metrics, token } = options;
  const tries = new RateLimiterMemory({ points: TRIES, duration: 60 });
  const app = new Hono<Env>();
  app.use(async (c, next) => {
    const given = givenIn(c.req.header("authorization") ?? "");
    const { address = "", local } = c.env;
    const isOpen = local === true || (token !== undefined && given !== undefined && isSame(given, token));
    if (!isOpen) {
      const slow =
        given !== undefined &&
        !(await tries.consume(addressKey(address)).then(
          () => true,
          () => false,
        ));
      if (slow) return c.text("Too many tries. Please wait a minute.\n", 429);
      if (token === undefined)
        return c.text(
          local === undefined
            ? "This is for the operator. Set STATUS_TOKEN, and give it as a Bearer token or as a password.\n"
            : "This is for the operator. Open the address that the program printed, or set STATUS_TOKEN.\n",
          403,
        );
      c.header("www-authenticate", 'Basic realm="Colloquy", charset="UTF-8"');
      return c.text("Give the STATUS_TOKEN: as a Bearer token, or as the password with any name.\n", 401);
    }
    await next();
    c.header("content-security-policy", POLICY);
    c.header("cache-control", "no-store");
    c.header("x-content-type-options", "nosniff");
  });
  app.get("/metrics", async (c) =>
    c.text(await metrics.text(), 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }),
  );
  app.get("/status/style.css", (c) => c.body(STYLE, 200, { "content-type": "text/css; charset=utf-8" }));
  app.get("/status", async (c) => c.html(await page(options, c.req.header("accept-language") ?? "en")));
  return app;
}

/** A Bearer token, or the password that a browser asks for. */
function givenIn(header: string): string | undefined {
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

async function page({ metrics, version, role, health }: StatusOptions, languages: string) {
  const say = texts(languages.split(",")[0] ?? "en");
  const figures = await metrics.values();
  const wrong = health();
  const of = (name: string) => figures.filter((figure) => figure.name === name);
  const one = (name: string) => of(name)[0]?.value ?? 0;
  const number = (value: number) => new Intl.NumberFormat("en", { maximumFractionDigits: 4 }).format(value);
  const facts: readonly (readonly [string, string])[] = [
    [say("status.version"), version],
    [say("status.role"), role],
    [say("status.uptime"), duration(process.uptime())],
    [say("status.memory"), `${number(Math.round(process.memoryUsage.rss() / 1e6))} MB`],
    [say("status.queue"), number(one("colloquy_queue_events"))],
    [say("status.oldest"), duration(one("colloquy_queue_oldest_seconds"))],
    [say("status.dead"), number(one("colloquy_dead_letters"))],
    [say("status.connections"), number(one("colloquy_http_connections"))],
  ];
  const rows = (all: readonly Figure[]) =>
    all.map(
      ({ labels, value }) =>
        html`<tr>${Object.values(labels).map((label) => html`<td>${label}</td>`)}<td class="number">${number(value)}</td></tr>`,
    );
  const table = (name: string, all: readonly Figure[]) =>
    all.length > 0 ? html`<h2>${name}</h2><table><tbody>${rows(all)}</tbody></table>` : "";
  return html`<!doctype html>
<html lang="${say("language")}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${AGAIN_S}"><meta name="robots" content="noindex">
<title>Colloquy</title><link rel="stylesheet" href="status/style.css">
</head>
<body>
<main>
<h1>Colloquy</h1>
<table><tbody>${facts.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`)}</tbody></table>
<h2>${say("status.connected")}</h2>
<table><tbody>${of("colloquy_connected").map(({ labels: { part }, value }) => html`<tr><th scope="row">${part}</th><td class="${value ? "good" : "bad"}">${value ? "✓" : (wrong[String(part)] ?? "✗")}</td></tr>`)}</tbody></table>
${table(say("status.turns"), of("colloquy_turns_total"))}
${table(say("status.requests"), of("colloquy_model_requests_total"))}
${table(say("status.tokens"), of("colloquy_tokens_total"))}
${table(say("status.cost"), of("colloquy_cost_total"))}
${table(say("status.writes"), of("colloquy_writes_total"))}
${table(say("status.errors"), of("colloquy_errors_total"))}
</main>
</body>
</html>`;
}

function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  const parts = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
    whole % 60,
  ];
  return parts
    .map((part, index) => `${part} ${"dhms"[index]}`)
    .filter((text, index) => index === 3 || !text.startsWith("0 "))
    .join(" ");
}

import { html } from "hono/html";
import { texts } from "../i18n/texts.ts";
import type { Figure, Metrics } from "../telemetry/metrics.ts";

/** What the status page shows. */
export interface StatusPage {
  readonly metrics: Metrics;
  readonly version: string;
  /** The role of this process. */
  readonly role: string;
  /** Why components do not work, by component. */
  readonly health: () => Readonly<Record<string, string>>;
}

/** How often the page reloads itself, in seconds. */
const RELOAD_S = 5;

/** The style sheet of the page. */
export const STYLE = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}
th,td{text-align:start;padding:.25rem 1rem .25rem 0;border-bottom:1px solid #8886;vertical-align:top}
td.number{text-align:end;font-variant-numeric:tabular-nums}
.bad{color:light-dark(#b3261e,#ff8a80)}`;

/** The page as HTML, in the first of the accepted languages. */
export async function statusPage({ metrics, version, role, health }: StatusPage, languages: string) {
  const say = texts(languages.split(",")[0] ?? "en");
  const figures = await metrics.values();
  const problems = health();
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
<meta http-equiv="refresh" content="${RELOAD_S}"><meta name="robots" content="noindex">
<title>Colloquy</title><link rel="stylesheet" href="status/style.css">
</head>
<body>
<main>
<h1>Colloquy</h1>
<table><tbody>${facts.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`)}</tbody></table>
<h2>${say("status.connected")}</h2>
<table><tbody>${of("colloquy_connected").map(({ labels: { part }, value }) => html`<tr><th scope="row">${part}</th><td class="${value ? "good" : "bad"}">${value ? "✓" : (problems[String(part)] ?? "✗")}</td></tr>`)}</tbody></table>
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

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Context, Hono } from "hono";
import { z } from "zod";
import type { Settings } from "../../config/settings.ts";
import type { RequestFrom } from "../adapter.ts";
import { describeError } from "../errors.ts";
import type { Log } from "../log.ts";
import { CONTROLS, openWorld, WINDOWS, type World } from "./world.ts";

/** What is served at `/playground`. */
export interface Playground {
  readonly pages: Hono<Env>;
  readonly close: () => Promise<void>;
}

type Env = { Bindings: RequestFrom };

const FOLDER = join(
  import.meta.dirname,
  import.meta.filename.endsWith(".ts") ? "../../dist/src/playground/page" : "page",
);

/** So often is looked what the windows show, in ms. */
const LOOK_EVERY_MS = 100;

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
};

const PEOPLE = ["Ann", "Bob"] as const;
const person = z.enum(PEOPLE);
const said = z.strictObject({ window: z.enum(WINDOWS), person, text: z.string().min(1).max(4000) });

/**
 * Every platform side by side: the real adapters, in a process that may be killed, against simulators. Nothing of it
 * runs before the page is opened; only who sits at this machine can do that.
 */
export function createPlayground({
  settings,
  log,
}: {
  readonly settings: Settings;
  readonly log: Log;
}): Playground {
  const app = new Hono<Env>({ strict: false }).basePath("/playground");
  const over = new AbortController();
  /** Of the worker's web chat, by person. */
  const cookies = new Map<string, string>();
  let world: Promise<World> | undefined;
  const open = () => (world ??= openWorld({ settings, log }));

  app.onError((error, c) => {
    log.warn(`the playground: ${describeError(error)}`);
    return c.json({ error: describeError(error) }, 400);
  });
  app.use("*", async (c, next) => {
    if (!c.env.local || !isOwn(c))
      return c.text("The playground is for whoever sits at this machine.\n", 403);
    await next();
    if (!c.req.path.startsWith("/playground/web/")) c.header("content-security-policy", POLICY);
    c.header("x-content-type-options", "nosniff");
  });
  app.get("/", (c) =>
    new URL(c.req.url).pathname.endsWith("/") ? file(c, "index.html") : c.redirect("/playground/"),
  );
  for (const name of readdirSync(FOLDER)) app.get(`/assets/${name}`, (c) => file(c, name));
  app.get("/events", async (c) => watch(await open(), person.parse(c.req.query("person")), over.signal));
  app.post("/say", async (c) => {
    const { window, person, text } = said.parse(await c.req.json());
    (await open()).say(window, person, text);
    return c.body(null, 204);
  });
  app.post("/press", async (c) => {
    const { window, person, text } = said.parse(await c.req.json());
    (await open()).press(window, person, text);
    return c.body(null, 204);
  });
  app.post("/control", async (c) => {
    const { what } = z.strictObject({ what: z.enum(CONTROLS) }).parse(await c.req.json());
    (await open()).control(what);
    return c.body(null, 204);
  });
  app.all("/web/:person/*", async (c) => {
    const { web } = await open();
    const who = person.parse(c.req.param("person"));
    if (web === undefined) return c.text("The worker is starting.", 503);
    if (!cookies.has(who)) cookies.set(who, await signIn(web, who));
    return pass(c, `${web}${c.req.path.replace(/^\/playground\/web\/\w+/, "")}`, cookies.get(who) ?? "");
  });
  return {
    pages: app,
    close: async () => {
      over.abort();
      await (await world)?.close();
    },
  };
}

/** Another site's page could ask too, with its own origin. */
function isOwn(c: Context<Env>): boolean {
  const site = c.req.header("sec-fetch-site");
  const origin = c.req.header("origin");
  if (c.req.method === "GET") return true;
  return site ? site === "same-origin" : !origin || origin === `http://${c.req.header("host")}`;
}

function file(c: Context, name: string): Response {
  const type = TYPES[name.split(".").at(-1) ?? ""] ?? "application/octet-stream";
  return c.body(readFileSync(join(FOLDER, name)), 200, { "content-type": type, "cache-control": "no-cache" });
}

/** What the windows show of one person, as Server-Sent Events: each window whenever it has changed. */
function watch(world: World, who: string, over: AbortSignal): Response {
  const encoder = new TextEncoder();
  let timer: NodeJS.Timeout | undefined;
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      const last = new Map<string, string>();
      const tell = (event: string, data: unknown) => {
        const text = JSON.stringify(data);
        if (last.get(event) === text) return;
        last.set(event, text);
        controller.enqueue(encoder.encode(`event: ${event}\ndata: ${text}\n\n`));
      };
      const look = () => {
        for (const window of WINDOWS) tell(window, world.screen(window, who));
        tell("journey", world.journey());
        tell("state", {
          running: world.running,
          web: world.web !== undefined,
          slow: world.slow,
          simulated: world.simulatesModel,
        });
      };
      look();
      timer = setInterval(look, LOOK_EVERY_MS);
      over.addEventListener("abort", () => {
        clearInterval(timer);
        controller.close();
      });
    },
    cancel: () => clearInterval(timer),
  });
  return new Response(stream, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    },
  });
}

async function signIn(web: string, name: string): Promise<string> {
  const response = await fetch(`${web}/api/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name }),
  });
  return response.headers.get("set-cookie")?.split(";")[0] ?? "";
}

/** The worker's own web chat, as the person of the page. */
async function pass(c: Context, url: string, cookie: string): Promise<Response> {
  const { search } = new URL(c.req.url);
  const headers = new Headers({ cookie });
  for (const name of ["content-type", "accept", "accept-language", "last-event-id", "if-none-match"]) {
    const value = c.req.header(name);
    if (value) headers.set(name, value);
  }
  const isRead = c.req.method === "GET" || c.req.method === "HEAD";
  const response = await fetch(url + search, {
    method: c.req.method,
    headers,
    ...(!isRead && { body: await c.req.arrayBuffer() }),
  }).catch(() => undefined);
  if (!response) return c.text("The worker is away.", 503);
  const passed = new Headers(response.headers);
  for (const name of ["content-encoding", "content-length", "set-cookie", "transfer-encoding"])
    passed.delete(name);
  return new Response(response.body, { status: response.status, headers: passed });
}

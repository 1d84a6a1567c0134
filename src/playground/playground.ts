import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { streamSSE } from "hono/streaming";
import { z } from "zod";
import type { Settings } from "../../config/settings.ts";
import type { RequestFrom } from "../adapter.ts";
import { describeError } from "../errors.ts";
import { describeIssues } from "../http/issues.ts";
import type { Log } from "../log.ts";
import { BUILT } from "./children.ts";
import { guard } from "./guard.ts";
import type { News, Person, Wish } from "./protocol.ts";
import type { Scene } from "./scene.ts";
import { createWebWindow } from "./web.ts";

/** The playground: a page with simulated platforms, for the operator at this machine. */
export interface Playground {
  /** The application that answers at `/playground` and below it. */
  readonly pages: Hono<Env>;
  /** Stops everything that runs for the playground. */
  readonly close: () => Promise<void>;
}

type Env = { Bindings: RequestFrom };

const PATH = "/playground";

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript",
  css: "text/css",
  map: "application/json",
};

/** The longest message, in characters. */
const MAX_PASTE = 20_000;
/** The largest request, in bytes. */
const MAX_BODY = 4 * MAX_PASTE + 1000;

/** How long after the start to load the modules of the scene, in ms: at once, they would slow the start down by a sixth. */
const LOAD_AFTER_MS = 2_000;

const NOT_BUILT =
  "The playground runs the compiled program, which does not exist: run `npm run build`, and open the page again.";

const PEOPLE = ["Ann", "Bob"] as const satisfies readonly Person[];
const person = z.enum(PEOPLE);
const window = z.enum(["telegram", "discord", "dingtalk", "terminal"]);
const Request = z.object({
  locale: z.string().max(35).default("en"),
  wish: z.discriminatedUnion("do", [
    z.object({ do: z.literal("say"), window, person, text: z.string().trim().min(1).max(MAX_PASTE) }),
    z.object({ do: z.literal("press"), window, person, button: z.string().max(200) }),
    z.object({ do: z.literal("stop"), window, person }),
    z.object({ do: z.literal("key"), person, key: z.string().max(20) }),
    z.object({ do: z.enum(["slow", "refuse", "real"]), on: z.boolean() }),
    z.object({ do: z.enum(["kill", "drop", "flood"]) }),
  ]),
});

/** Creates the playground. Its processes and simulators start when the page is first opened. */
export function createPlayground({
  settings,
  log,
}: {
  readonly settings: Settings;
  readonly log: Log;
}): Playground {
  const web = createWebWindow();
  let opening: Promise<Scene> | undefined;
  const open = () => (opening ??= openWithModules());
  let loading: Promise<typeof import("./scene.ts")> | undefined;
  const load = () => (loading ??= import("./scene.ts"));
  // Loaded early, because Node never retries a failed import(), such as one that ran out of file descriptors.
  const early = setTimeout(() => void load().catch(() => undefined), LOAD_AFTER_MS).unref();
  const app = new Hono<Env>().basePath(PATH);
  app.use(guard);
  app.get("/", async (c) => {
    await open();
    const html = await readFile(join(BUILT, "playground/page/index.html"), "utf8");
    return c.html(html, 200, { "content-security-policy": POLICY, "x-content-type-options": "nosniff" });
  });
  app.get("/page/:file{[\\w-]+\\.(?:js|css|map)}", async (c) => {
    const file = c.req.param("file");
    const content = await readFile(join(BUILT, "playground/page", file), "utf8").catch(() => undefined);
    if (content === undefined) return c.notFound();
    const type = TYPES[file.slice(file.lastIndexOf(".") + 1)] ?? "text/plain";
    return c.body(content, 200, {
      "content-type": `${type}; charset=utf-8`,
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
    });
  });
  app.get("/events", async (c) => sendNews(c, await open()));
  const tooLarge = (c: Context) => c.json({ error: `More than ${MAX_PASTE} characters are too many.` }, 413);
  app.post("/wish", bodyLimit({ maxSize: MAX_BODY, onError: tooLarge }), async (c) => {
    const request = Request.safeParse(await c.req.json().catch(() => undefined));
    if (!request.success) return c.json({ error: describeIssues(request.error) }, 400);
    const scene = await open();
    try {
      scene.act(request.data.wish satisfies Wish, request.data.locale.startsWith("zh") ? "zh" : "en");
      return c.json({ done: true });
    } catch (error) {
      return c.json({ error: describeError(error) }, 409);
    }
  });
  const isPerson = `:person{${PEOPLE.join("|")}}`;
  app.all(`/web/${isPerson}/*`, async (c) => {
    const { url } = await open();
    const person = c.req.param("person") ?? "";
    return web(c, { url, person, prefix: `${PATH}/web/${person}` });
  });
  // The page refers to its files relative to /playground, without a slash at the end.
  app.get("/*", (c) => (c.req.path === `${PATH}/` ? c.redirect(PATH) : c.notFound()));
  app.onError((error, c) => c.json({ error: describeError(error) }, 502));
  return {
    pages: app,
    close: async () => {
      clearTimeout(early);
      await (await opening?.catch(() => undefined))?.close();
    },
  };

  async function openWithModules(): Promise<Scene> {
    try {
      if (!existsSync(join(BUILT, "cli.js"))) throw new Error(NOT_BUILT);
      const { openScene } = await load();
      return await openScene(settings);
    } catch (err) {
      opening = undefined;
      log.error({ err }, `the playground cannot open: ${describeError(err)}`);
      throw err;
    }
  }
}

function sendNews(c: Context<Env>, { frames }: Scene): Response {
  return streamSSE(c, async (stream) => {
    const waiting: News[] = [];
    let wake = () => {};
    const unsubscribe = frames.subscribe((news) => {
      waiting.push(news);
      wake();
    });
    stream.onAbort(() => wake());
    try {
      while (!stream.aborted) {
        for (let news = waiting.shift(); news; news = waiting.shift())
          await stream.writeSSE({ data: JSON.stringify(news) });
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (waiting.length > 0 || stream.aborted) resolve();
        });
      }
    } finally {
      unsubscribe();
    }
  });
}

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

/** The playground: a page with simulated platforms, for whoever sits at this machine. */
export interface Playground {
  /** What answers at `/playground` and below it. */
  readonly pages: Hono<Env>;
  /** Ends all that runs for it. */
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

/** In characters: more than that nobody types. */
const MAX_PASTE = 20_000;
/** In bytes. */
const MAX_BODY = 4 * MAX_PASTE + 1000;

/** What it takes to show it is loaded once the program has started, which that would slow down by a sixth, in ms. */
const LOAD_AFTER_MS = 2_000;

const NOT_BUILT =
  "The playground runs the compiled program, and there is none: `npm run build`, and open the page again.";

const PEOPLE = ["Ann", "Bob"] as const satisfies readonly Person[];
const person = z.enum(PEOPLE);
const window = z.enum(["telegram", "discord", "dingtalk", "terminal"]);
const Asked = z.object({
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

/** Nothing of it runs before the page is opened for the first time. */
export function createPlayground({
  settings,
  log,
}: {
  readonly settings: Settings;
  readonly log: Log;
}): Playground {
  const web = createWebWindow();
  let opening: Promise<Scene> | undefined;
  const open = () => (opening ??= begin());
  let loading: Promise<typeof import("./scene.ts")> | undefined;
  const load = () => (loading ??= import("./scene.ts"));
  // Node remembers for ever that an import() has failed, as when no more files can be opened: so it is done in good time.
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
    const asked = Asked.safeParse(await c.req.json().catch(() => undefined));
    if (!asked.success) return c.json({ error: describeIssues(asked.error) }, 400);
    const scene = await open();
    try {
      scene.act(asked.data.wish satisfies Wish, asked.data.locale.startsWith("zh") ? "zh" : "en");
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
  // The page's own addresses begin where it stands.
  app.get("/*", (c) => (c.req.path === `${PATH}/` ? c.redirect(PATH) : c.notFound()));
  app.onError((error, c) => c.json({ error: describeError(error) }, 502));
  return {
    pages: app,
    close: async () => {
      clearTimeout(early);
      await (await opening?.catch(() => undefined))?.close();
    },
  };

  async function begin(): Promise<Scene> {
    try {
      if (!existsSync(join(BUILT, "cli/main.js"))) throw new Error(NOT_BUILT);
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
    const end = frames.listen((news) => {
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
      end();
    }
  });
}

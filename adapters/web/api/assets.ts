import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Hono } from "hono";
import { compress } from "hono/compress";

/** The folder of the page's compiled files. */
const FOLDER = join(
  import.meta.dirname,
  import.meta.filename.endsWith(".ts") ? "../../../dist/adapters/web/page" : "../page",
);

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

const require = createRequire(import.meta.url);

/** Serves the page. Browsers revalidate every file, so that an update never mixes old files with new ones. */
export function createAssets(): Hono {
  const app = new Hono();
  for (const [path, file] of Object.entries(filesByPath())) {
    let known: { readonly content: Buffer<ArrayBuffer>; readonly etag: string } | undefined;
    app.use(path, compress());
    app.get(path, (c) => {
      known ??= read(file);
      const headers = { "cache-control": "no-cache", etag: known.etag };
      if (c.req.header("if-none-match")?.includes(known.etag)) return c.body(null, 304, headers);
      return c.body(known.content, 200, {
        ...headers,
        "content-type": TYPES[file.split(".").at(-1) ?? ""] ?? "",
      });
    });
  }
  return app;
}

function filesByPath(): Readonly<Record<string, string>> {
  const assets = readdirSync(FOLDER).filter((name) => !name.endsWith(".html"));
  return {
    "/": join(FOLDER, "index.html"),
    "/assets/highlight.js": require.resolve("@highlightjs/cdn-assets/es/highlight.min.js"),
    ...Object.fromEntries(assets.map((name) => [`/assets/${name}`, join(FOLDER, name)])),
  };
}

function read(file: string) {
  const content = readFileSync(file);
  return { content, etag: `"${createHash("sha1").update(content).digest("base64url")}"` };
}

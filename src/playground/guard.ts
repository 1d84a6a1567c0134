import type { Context, Next } from "hono";
import type { RequestFrom } from "../adapter.ts";

/** Lets in only the operator at this machine, and what the page itself asks for. */
export async function guard(
  c: Context<{ Bindings: RequestFrom }>,
  next: Next,
): Promise<Response | undefined> {
  const why = whyNot(c);
  if (why === undefined) {
    await next();
    return undefined;
  }
  return c.json({ error: why }, 403);
}

function whyNot({ req, env }: Context<{ Bindings: RequestFrom }>): string | undefined {
  if (!env.local) {
    return "Open the address of the playground that the program printed when it started: a token stands in it.";
  }
  const isRead = req.method === "GET" || req.method === "HEAD";
  if (!isRead && req.header("origin") !== `http://${req.header("host")}`) {
    return "Only the playground's own page may ask for this.";
  }
  // Who follows a link from elsewhere may see the page, but no page may use what is behind it.
  const site = req.header("sec-fetch-site") ?? "same-origin";
  const navigates =
    req.header("sec-fetch-mode") === "navigate" && req.header("sec-fetch-dest") === "document";
  if (!["same-origin", "none"].includes(site) && !navigates) {
    return "Another page may not use the playground.";
  }
  return undefined;
}

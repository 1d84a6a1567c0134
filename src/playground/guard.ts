import type { Context, Next } from "hono";
import type { RequestFrom } from "../adapter.ts";

/** Admits only the operator at this machine, and only requests of the playground's own page. */
export async function guard(
  c: Context<{ Bindings: RequestFrom }>,
  next: Next,
): Promise<Response | undefined> {
  const refusal = refuse(c);
  if (refusal === undefined) {
    await next();
    return undefined;
  }
  return c.json({ error: refusal }, 403);
}

/** The reason for refusing a request; undefined if it is admitted. */
function refuse({ req, env }: Context<{ Bindings: RequestFrom }>): string | undefined {
  if (!env.local) {
    return "Open the address of the playground that the program printed when it started: it contains a token.";
  }
  const isRead = req.method === "GET" || req.method === "HEAD";
  if (!isRead && req.header("origin") !== `http://${req.header("host")}`) {
    return "Only the playground's own page may send this request.";
  }
  // A link on another page may open the playground, but no other page may send requests to it.
  const site = req.header("sec-fetch-site") ?? "same-origin";
  const navigates =
    req.header("sec-fetch-mode") === "navigate" && req.header("sec-fetch-dest") === "document";
  if (!["same-origin", "none"].includes(site) && !navigates) {
    return "Another page may not use the playground.";
  }
  return undefined;
}

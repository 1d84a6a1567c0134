import type { Context, Hono } from "hono";
import { messageJson } from "../payloads.ts";
import { readMessage } from "./body.ts";
import { Refusal, refusals } from "./refusal.ts";
import type { Env, RestOptions } from "./rest.ts";

/** Adds the routes of interactions and of their webhooks. */
export function addInteractionRoutes(app: Hono<Env>, { world, bot }: RestOptions): void {
  app.post("/interactions/:id/:token/callback", (c) => {
    const { json, files } = c.get("body");
    const data = typeof json.data === "object" && json.data !== null ? { ...json.data } : {};
    const type = Number(json.type);
    if (type !== 4 && type !== 5) throw new Refusal(400, { code: 50035, message: "Invalid Form Body" });
    world.respond(c.req.param("id"), c.req.param("token"), {
      type,
      body: readMessage({ json: data, files }),
    });
    return c.body(null, 204);
  });
  const webhook = `/webhooks/${bot.applicationId}/:token` as const;
  const message = `${webhook}/messages/:message` as const;
  const find = (c: Context<Env>) =>
    world.webhookMessage(c.req.param("token") ?? "", c.req.param("message") ?? "");
  app.post(webhook, (c) => {
    const token = c.req.param("token");
    const entry = world.followUp(token, readMessage(c.get("body")));
    return c.json(messageJson(entry, world.webhook(token).channel, bot));
  });
  app.get(message, (c) => {
    const { channel, entry } = find(c);
    return c.json(messageJson(entry, channel, bot));
  });
  app.patch(message, (c) => {
    const { channel, entry } = find(c);
    return c.json(messageJson(world.edit(channel, entry, readMessage(c.get("body"))), channel, bot));
  });
  app.delete(message, (c) => {
    const { channel, entry } = find(c);
    world.remove(channel, entry);
    return c.body(null, 204);
  });
  app.all("/webhooks/*", () => {
    throw refusals.unknownWebhook();
  });
}

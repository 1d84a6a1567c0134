import type { Context, Hono } from "hono";
import { type Channel, type Entry, isCommand, isPublic } from "../entries.ts";
import { channelJson, messageJson } from "../payloads.ts";
import { readMessage } from "./body.ts";
import { refusals } from "./refusal.ts";
import type { Env, RestOptions } from "./rest.ts";

/** Adds the routes of channels and their messages. */
export function addChannelRoutes(app: Hono<Env>, { world, bot }: RestOptions): void {
  const channelOf = (c: Context<Env>) => world.openChannel(c.req.param("channel") ?? "");
  const find = (c: Context<Env>) => {
    const channel = channelOf(c);
    return { channel, entry: world.message(channel, c.req.param("message") ?? "") };
  };
  app.post("/users/@me/channels", (c) => {
    const person = world.recipient(c.get("body").json.recipient_id);
    return c.json(channelJson(world.directChannel(person), bot));
  });
  app.get("/channels/:channel", (c) => c.json(channelJson(channelOf(c), bot)));
  app.post("/channels/:channel/typing", (c) => {
    world.type(channelOf(c));
    return c.body(null, 204);
  });
  app.get("/channels/:channel/messages", (c) => {
    const channel = channelOf(c);
    return c.json(history(channel, c.req.query()).map((entry) => messageJson(entry, channel, bot)));
  });
  app.get("/channels/:channel/messages/:message", (c) => {
    const { channel, entry } = find(c);
    return c.json(messageJson(entry, channel, bot));
  });
  app.post("/channels/:channel/messages", (c) => {
    const channel = channelOf(c);
    return c.json(messageJson(world.post(channel, readMessage(c.get("body"))), channel, bot));
  });
  app.patch("/channels/:channel/messages/:message", (c) => {
    const { channel, entry } = find(c);
    if (entry.author) throw refusals.notYours();
    return c.json(messageJson(world.edit(channel, entry, readMessage(c.get("body"))), channel, bot));
  });
  app.delete("/channels/:channel/messages/:message", (c) => {
    const { channel, entry } = find(c);
    if (entry.author) throw refusals.missingAccess();
    world.remove(channel, entry);
    return c.body(null, 204);
  });
}

/** The messages that "Get Channel Messages" returns, newest first. */
function history(channel: Channel, query: Record<string, string>): Entry[] {
  const limit = Math.min(100, Math.max(1, Number(query.limit ?? 50)));
  const messages = channel.entries.filter((entry) => !isCommand(entry) && isPublic(entry));
  const after = query.after;
  if (after)
    return messages
      .filter((entry) => BigInt(entry.id) > BigInt(after))
      .slice(0, limit)
      .toReversed();
  return messages.slice(-limit).toReversed();
}

import type { DiscordBody } from "../dialect/dialect.ts";

/** API docs, "Message Flags". Not from discord.js, which is slow to load, as this is all that a preview needs of it. */
const SUPPRESS_EMBEDS = 1 << 2;

/** The fields of every message, new or edited: Discord goes back to its defaults where one is missing. */
export function discordPayload({ content, components }: DiscordBody) {
  return {
    content,
    allowed_mentions: { parse: [] },
    flags: SUPPRESS_EMBEDS,
    ...(components && { components }),
  };
}

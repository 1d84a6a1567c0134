import type { DiscordBody } from "../dialect/dialect.ts";

/** API docs, "Message Flags". Not imported from discord.js, because previews need nothing else of it and it loads slowly. */
const SUPPRESS_EMBEDS = 1 << 2;

/** The fields of every message, new or edited. An edit repeats them all, because Discord resets a missing one to its default. */
export function discordPayload({ content, components }: DiscordBody) {
  return {
    content,
    allowed_mentions: { parse: [] },
    flags: SUPPRESS_EMBEDS,
    ...(components && { components }),
  };
}

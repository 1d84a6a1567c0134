import type { DiscordBody } from "../dialect/dialect.ts";

/** API docs, "Message Flags". Not imported from discord.js, which loads slowly: previews need nothing else of it. */
const SUPPRESS_EMBEDS = 1 << 2;

/** The fields of every message. Edits repeat them all, because Discord resets a missing one to its default. */
export function discordPayload({ content, components }: DiscordBody) {
  return {
    content,
    allowed_mentions: { parse: [] },
    flags: SUPPRESS_EMBEDS,
    ...(components && { components }),
  };
}

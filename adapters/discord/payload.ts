import { MessageFlags } from "discord.js";
import type { DiscordBody } from "./dialect.ts";

/** The fields of every message, new or edited: Discord goes back to its defaults where one is missing. */
export function discordPayload({ content }: DiscordBody) {
  return { content, allowed_mentions: { parse: [] }, flags: MessageFlags.SuppressEmbeds };
}

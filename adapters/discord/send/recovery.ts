import { Routes } from "discord.js";
import { z } from "zod";
import type { Api } from "../api.ts";
import type { DiscordBody } from "../dialect/dialect.ts";
import type { DiscordAddress } from "../receive/events.ts";
import { edit } from "./edits.ts";
import { messageIdIn } from "./references.ts";

/** Entries that do not look like a message are skipped. */
const listSchema = z
  .array(
    z
      .object({
        id: z.string().regex(/^\d{1,20}$/),
        type: z.number(),
        webhook_id: z.string().optional(),
        author: z.object({ bot: z.boolean().optional() }),
      })
      .nullable()
      .catch(null),
  )
  .catch([])
  .transform((messages) => messages.filter((message) => message !== null));

/**
 * Finds the bot's first message in a direct channel that is newer than the question and all of `after`, makes it show
 * `body`, and returns its reference. A nonce does not help here, because Discord remembers it only for a few minutes.
 * Undefined for slash commands, whose answers cannot be listed.
 */
export async function recover(
  api: Api,
  to: DiscordAddress,
  { body, after }: { body: DiscordBody; after: readonly string[] },
): Promise<string | undefined> {
  if ("interaction" in to || !to.question) return undefined;
  const known = after.map((ref) => messageIdIn(ref) ?? "0");
  const from = [...known, to.question].reduce((a, b) => (BigInt(a) > BigInt(b) ? a : b));
  const query = new URLSearchParams({ after: from, limit: "100" });
  const action = `look for a message in channel ${to.channel}`;
  const route = Routes.channelMessages(to.channel);
  const listed = listSchema.parse(await api({ method: "GET", route, query, action }));
  const own = listed.filter(({ author, type, webhook_id }) => author.bot && type === 0 && !webhook_id);
  const first = own.toSorted((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1))[0];
  if (first) await edit(api, to, { ref: first.id, body });
  return first?.id;
}

import { type RawFile, Routes } from "discord.js";
import { z } from "zod";
import { PlatformError } from "../../../src/errors.ts";
import type { Api } from "../api.ts";
import type { DiscordBody } from "../dialect/dialect.ts";
import type { InteractionAddress } from "../receive/events.ts";
import { discordPayload } from "./payload.ts";

/**
 * Pages beyond the follow-ups. If only the user installed the bot, an interaction accepts 5 follow-ups, and an attempt
 * whose answer was lost may use up two. A page that no longer fits becomes a file of the original response, which can
 * always be edited: its text stays, its files are replaced by name.
 */

/** Marks the reference of such a page; the file's name follows. */
const ATTACHED_PREFIX = "attached:";

const originalSchema = z.object({
  attachments: z.array(z.object({ id: z.string(), filename: z.string() })),
});

/** Whether a reference belongs to such a page. */
export function isAttached(ref: string): boolean {
  return ref.startsWith(ATTACHED_PREFIX);
}

/** Attaches a page to the original response as a file; the same key replaces the same file. */
export async function attachPage(
  api: Api,
  to: InteractionAddress,
  { page, key }: { page: DiscordBody; key: string },
): Promise<string> {
  const index = Number(/#(\d+)$/.exec(key)?.[1] ?? 0);
  const ref = `${ATTACHED_PREFIX}page-${index + 1}.md`;
  await editAttached(api, to, { ref, page });
  return ref;
}

/** Replaces an attached page. */
export async function editAttached(
  api: Api,
  to: InteractionAddress,
  { ref, page }: { ref: string; page: DiscordBody },
): Promise<void> {
  const name = ref.slice(ATTACHED_PREFIX.length);
  await replaceFiles(api, to, { files: [toFile(name, page.content)], replaces: (other) => other === name });
}

/** Removes an attached page. */
export async function detach(api: Api, to: InteractionAddress, ref: string): Promise<void> {
  await replaceFiles(api, to, {
    files: [],
    replaces: (name) => name === ref.slice(ATTACHED_PREFIX.length),
  });
}

/** Attaches the whole answer to the original response, instead of all single pages; returns the reference. */
export function attachToFirst(api: Api, to: InteractionAddress, files: readonly RawFile[]): Promise<string> {
  const names = files.map(({ name }) => name);
  return replaceFiles(api, to, {
    files,
    replaces: (name) => names.includes(name) || /^page-\d+\.md$/.test(name),
  });
}

function toFile(name: string, content: string): RawFile {
  return { name, data: Buffer.from(content), contentType: "text/markdown; charset=utf-8" };
}

async function replaceFiles(
  api: Api,
  to: InteractionAddress,
  { files, replaces }: { files: readonly RawFile[]; replaces: (name: string) => boolean },
): Promise<string> {
  const route = Routes.webhookMessage(to.application, to.interaction, "@original");
  const action = "attach a file to the first message";
  const { data: original } = originalSchema.safeParse(
    await api({ method: "GET", route, auth: false, action }),
  );
  if (!original)
    throw new PlatformError(
      "discord_unreachable",
      `Discord's answer to the request to ${action} is not a message.`,
    );
  const { content: _, ...unchanged } = discordPayload({ content: "" });
  const kept = original.attachments.filter(({ filename }) => !replaces(filename)).map(({ id }) => ({ id }));
  const added = files.map(({ name }, id) => ({ id, filename: name }));
  const body = { ...unchanged, attachments: [...kept, ...added] };
  await api({ method: "PATCH", route, body, files, auth: false, action });
  return "@original";
}

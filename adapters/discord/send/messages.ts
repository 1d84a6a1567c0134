import { createHash } from "node:crypto";
import { type RawFile, Routes } from "discord.js";
import { z } from "zod";
import type { AnswerFile } from "../../../src/adapter.ts";
import { PlatformError } from "../../../src/errors.ts";
import type { Address } from "../../../src/event.ts";
import type { Api } from "../api.ts";
import { deferLate } from "../receive/deferral.ts";
import type { DiscordBody } from "../dialect/dialect.ts";
import { codes } from "../errors.ts";
import type { DiscordAddress, InteractionAddress } from "../receive/events.ts";
import { filesOf } from "./files.ts";
import { attachPage, attachToFirst, detach, editAttached, isAttached } from "./overflow.ts";
import { discordPayload } from "./payload.ts";

/** A message as a request takes it. */
interface Outgoing {
  readonly body: object;
  readonly files?: readonly RawFile[];
}

/** A token that dies this soon is not used for a new message, in ms. */
const EXPIRY_MARGIN_MS = 30_000;
/** Create Message takes at most this many characters of nonce. */
const NONCE_LENGTH = 25;
/** Marks the reference of a message that was posted to a channel, not to the interaction. */
const CHANNEL_PREFIX = "channel:";
/** The interaction takes no more messages; the channel may. */
const INTERACTION_OVER: readonly string[] = [
  codes.invalidWebhookToken,
  codes.unknownWebhook,
  codes.tooManyFollowups,
];
/** The bot may not write to the channel; to the person it may. */
const CHANNEL_CLOSED: readonly string[] = [
  codes.missingAccess,
  codes.missingPermissions,
  codes.unknownChannel,
];

/** Of what cannot be read as a message nothing is known: it is left out. */
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
const createdSchema = z.object({ id: z.string() });

export function readAddress(to: Address): DiscordAddress {
  const { channel, application, interaction, expires, fileBytes, id, user, question } = to;
  if (typeof channel !== "string")
    throw new PlatformError("discord_address", "This is no address of Discord's adapter.", {
      permanent: true,
    });
  if (typeof application !== "string" || typeof interaction !== "string" || typeof expires !== "number")
    return { channel, ...(typeof question === "string" && { question }) };
  return {
    channel,
    application,
    interaction,
    expires,
    ...(typeof id === "string" && { id }),
    ...(typeof user === "string" && { user }),
    ...(to["userInstallOnly"] === true && { userInstallOnly: true }),
    ...(typeof fileBytes === "number" && { fileBytes }),
  };
}

export function userInstallOnly(to: DiscordAddress): to is InteractionAddress {
  return "interaction" in to && to.userInstallOnly === true;
}

/** Posts a text: to the interaction while its token lives, else to the channel, else to the person. */
export async function sendPage(
  api: Api,
  to: DiscordAddress,
  { page, key }: { page: DiscordBody; key: string },
): Promise<string> {
  const message = { body: discordPayload(page), key };
  if (!userInstallOnly(to)) return send(api, to, message);
  try {
    return await send(api, to, message);
  } catch (error) {
    // Repeated attempts have used up the follow-ups, and the bot cannot write here without them.
    if (!isCode(error, codes.tooManyFollowups)) throw error;
    return attachPage(api, to, { page, key });
  }
}

async function send(api: Api, to: DiscordAddress, message: Outgoing & { key: string }): Promise<string> {
  if (!("interaction" in to)) return postToChannel(api, to.channel, message);
  if (Date.now() < to.expires - EXPIRY_MARGIN_MS) {
    try {
      return await responded(api, to, () => followUp(api, to, message));
    } catch (error) {
      if (!isCode(error, ...INTERACTION_OVER)) throw error;
      if (userInstallOnly(to) && isCode(error, codes.tooManyFollowups)) throw error;
    }
  }
  try {
    return CHANNEL_PREFIX + (await postToChannel(api, to.channel, message));
  } catch (error) {
    if (!to.user || !isCode(error, ...CHANNEL_CLOSED)) throw error;
    const channel = await openDirectChannel(api, to.user);
    return `${CHANNEL_PREFIX}${channel}/${await postToChannel(api, channel, message)}`;
  }
}

/** Does something with an interaction's messages; if there are none yet as it was never deferred, defers it first. */
async function responded<T>(api: Api, to: InteractionAddress, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!to.id || !isCode(error, codes.unknownWebhook)) throw error;
    if (!(await deferLate(api, { id: to.id, token: to.interaction }))) throw error;
    return action();
  }
}

async function openDirectChannel(api: Api, user: string): Promise<string> {
  const action = "open a direct channel with who used the slash command";
  const body = { recipient_id: user };
  return idOf(await api({ method: "POST", route: Routes.userChannels(), body, action }), action);
}

/** If a repeated attempt has used up the follow-ups, the file goes to the message that is always there. */
export async function sendFile(
  api: Api,
  to: DiscordAddress,
  { file, key }: { file: AnswerFile; key: string },
): Promise<string> {
  const files = filesOf(file, "interaction" in to ? to.fileBytes : undefined);
  try {
    return await send(api, to, { body: discordPayload({ content: file.note }), files, key });
  } catch (error) {
    if (!userInstallOnly(to) || !isCode(error, codes.tooManyFollowups)) throw error;
    return attachToFirst(api, to, files);
  }
}

async function followUp(api: Api, to: InteractionAddress, { body, files }: Outgoing): Promise<string> {
  const route = Routes.webhook(to.application, to.interaction);
  const action = "post a follow-up message";
  return idOf(
    await api({ method: "POST", route, body, ...(files && { files }), auth: false, action }),
    action,
  );
}

async function postToChannel(
  api: Api,
  channel: string,
  { body, files, key }: Outgoing & { key: string },
): Promise<string> {
  // Discord answers the same nonce with the message it already has: a repeated attempt posts nothing twice.
  const nonce = createHash("sha256").update(key).digest("hex").slice(0, NONCE_LENGTH);
  const action = `post a message to channel ${channel}`;
  const route = Routes.channelMessages(channel);
  return idOf(
    await api({
      method: "POST",
      route,
      body: { ...body, nonce, enforce_nonce: true },
      ...(files && { files }),
      action,
    }),
    action,
  );
}

function idOf(answer: unknown, action: string): string {
  const { data } = createdSchema.safeParse(answer);
  if (data) return data.id;
  throw new PlatformError("discord_unreachable", `Discord's answer to the request to ${action} tells no id.`);
}

/** Which message a reference means; undefined if its interaction's token is dead. */
function locate(to: DiscordAddress, ref: string): { route: `/${string}`; auth: boolean } | undefined {
  if (!("interaction" in to)) return { route: Routes.channelMessage(to.channel, ref), auth: true };
  if (ref.startsWith(CHANNEL_PREFIX)) {
    const [id = "", channel = to.channel] = ref.slice(CHANNEL_PREFIX.length).split("/").toReversed();
    return { route: Routes.channelMessage(channel, id), auth: true };
  }
  if (Date.now() >= to.expires) return undefined;
  return { route: Routes.webhookMessage(to.application, to.interaction, ref), auth: false };
}

/**
 * The first of the bot's messages in a direct channel that is newer than the question and `after`, showing `body`
 * now: Discord knows a nonce for a few minutes only. Undefined for slash commands, whose answers cannot be listed.
 */
export async function recover(
  api: Api,
  to: DiscordAddress,
  { body, after }: { body: DiscordBody; after: readonly string[] },
): Promise<string | undefined> {
  if ("interaction" in to || !to.question) return undefined;
  const known = after.map((ref) => /(?:^|[:/])(\d{1,20})$/.exec(ref)?.[1] ?? "0");
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

/** Replaces the text of a message. */
export async function edit(
  api: Api,
  to: DiscordAddress,
  { ref, body }: { ref: string; body: DiscordBody },
): Promise<void> {
  const place = locate(to, ref);
  if (!place)
    throw new PlatformError(
      "discord_expired",
      "The slash command is more than 15 minutes old: its answer can no longer be edited, post a new message.",
      { gone: true },
    );
  const action = "edit a message";
  // Buttons that are not named stay: below something else, such as an apology, they make no sense.
  const edited = { components: [], ...discordPayload(body) };
  const patch = async () => void (await api({ method: "PATCH", ...place, body: edited, action }));
  if (!("interaction" in to) || place.auth) return patch();
  if (isAttached(ref)) return editAttached(api, to, { ref, page: body });
  return responded(api, to, patch);
}

/** Takes a message away. What only a dead token could take away stays. */
export async function remove(api: Api, to: DiscordAddress, ref: string): Promise<void> {
  const place = locate(to, ref);
  if (!place) return;
  if ("interaction" in to && isAttached(ref)) return detach(api, to, ref);
  await api({ method: "DELETE", ...place, action: "take a message away" }).catch((error: unknown) => {
    if (!(error instanceof PlatformError && error.gone)) throw error;
  });
}

/** Shown in channels only: a deferred slash command already says that the bot is thinking. */
export async function typing(api: Api, to: DiscordAddress): Promise<void> {
  if ("interaction" in to) return;
  const action = `show typing in channel ${to.channel}`;
  await api({ method: "POST", route: Routes.channelTyping(to.channel), action });
}

function isCode(error: unknown, ...wanted: readonly string[]): boolean {
  return error instanceof PlatformError && wanted.includes(error.code);
}

import { createHash } from "node:crypto";
import { type RawFile, Routes } from "discord.js";
import { z } from "zod";
import type { AnswerFile } from "../../../src/adapter.ts";
import { PlatformError } from "../../../src/errors.ts";
import type { Api } from "../api.ts";
import type { DiscordBody } from "../dialect/dialect.ts";
import { codes } from "../errors.ts";
import { withDeferral } from "../receive/deferral.ts";
import type { DiscordAddress, InteractionAddress } from "../receive/events.ts";
import { isUserInstallOnly } from "./address.ts";
import { filesOf } from "./files.ts";
import { attachPage, attachToFirst } from "./overflow.ts";
import { discordPayload } from "./payload.ts";
import { channelReference } from "./references.ts";

/** A message to post; `key` is the same for every attempt. */
interface OutgoingMessage {
  readonly body: object;
  readonly files?: readonly RawFile[];
  readonly key: string;
}

/** A token that expires within this time is not used for a new message, in ms. */
const EXPIRY_MARGIN_MS = 30_000;
/** Longest nonce of "Create Message", in characters (API docs). */
const MAX_NONCE_LENGTH = 25;
/** The interaction accepts no more messages; the channel may. */
const INTERACTION_OVER: readonly string[] = [
  codes.invalidWebhookToken,
  codes.unknownWebhook,
  codes.tooManyFollowups,
];
/** The bot may not write to the channel; a direct message may still be possible. */
const CHANNEL_CLOSED: readonly string[] = [
  codes.missingAccess,
  codes.missingPermissions,
  codes.unknownChannel,
];

const createdSchema = z.object({ id: z.string() });

/** Posts a page: to the interaction while its token is valid, else to the channel, else as a direct message. */
export async function sendPage(
  api: Api,
  to: DiscordAddress,
  { page, key }: { page: DiscordBody; key: string },
): Promise<string> {
  const message = { body: discordPayload(page), key };
  if (!isUserInstallOnly(to)) return send(api, to, message);
  try {
    return await send(api, to, message);
  } catch (error) {
    // Retries have used up the follow-ups, and the bot cannot write here without them.
    if (!isCode(error, codes.tooManyFollowups)) throw error;
    return attachPage(api, to, { page, key });
  }
}

/** Posts a file. If retries have used up the follow-ups, it goes to the original response, which always exists. */
export async function sendFile(
  api: Api,
  to: DiscordAddress,
  { file, key }: { file: AnswerFile; key: string },
): Promise<string> {
  const files = filesOf(file, "interaction" in to ? to.fileBytes : undefined);
  try {
    return await send(api, to, { body: discordPayload({ content: file.note }), files, key });
  } catch (error) {
    if (!isUserInstallOnly(to) || !isCode(error, codes.tooManyFollowups)) throw error;
    return attachToFirst(api, to, files);
  }
}

async function send(api: Api, to: DiscordAddress, message: OutgoingMessage): Promise<string> {
  if (!("interaction" in to)) return postToChannel(api, to.channel, message);
  if (Date.now() < to.expires - EXPIRY_MARGIN_MS) {
    try {
      return await withDeferral(api, to, () => followUp(api, to, message));
    } catch (error) {
      if (!isCode(error, ...INTERACTION_OVER)) throw error;
      if (isUserInstallOnly(to) && isCode(error, codes.tooManyFollowups)) throw error;
    }
  }
  try {
    return channelReference(await postToChannel(api, to.channel, message));
  } catch (error) {
    if (!to.user || !isCode(error, ...CHANNEL_CLOSED)) throw error;
    const channel = await openDirectChannel(api, to.user);
    return channelReference(await postToChannel(api, channel, message), channel);
  }
}

async function openDirectChannel(api: Api, user: string): Promise<string> {
  const action = "open a direct channel with the user of a slash command";
  const body = { recipient_id: user };
  return idIn(await api({ method: "POST", route: Routes.userChannels(), body, action }), action);
}

async function followUp(api: Api, to: InteractionAddress, { body, files }: OutgoingMessage): Promise<string> {
  const route = Routes.webhook(to.application, to.interaction);
  const action = "post a follow-up message";
  return idIn(
    await api({ method: "POST", route, body, ...(files && { files }), auth: false, action }),
    action,
  );
}

async function postToChannel(
  api: Api,
  channel: string,
  { body, files, key }: OutgoingMessage,
): Promise<string> {
  // To a known nonce Discord returns the existing message, so a retry posts nothing twice.
  const nonce = createHash("sha256").update(key).digest("hex").slice(0, MAX_NONCE_LENGTH);
  const action = `post a message to channel ${channel}`;
  const route = Routes.channelMessages(channel);
  return idIn(
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

function idIn(answer: unknown, action: string): string {
  const { data } = createdSchema.safeParse(answer);
  if (data) return data.id;
  throw new PlatformError("discord_unreachable", `Discord's answer to the request to ${action} has no id.`);
}

/** Shows the typing indicator, in channels only: a deferred slash command already shows that the bot is thinking. */
export async function typing(api: Api, to: DiscordAddress): Promise<void> {
  if ("interaction" in to) return;
  const action = `show typing in channel ${to.channel}`;
  await api({ method: "POST", route: Routes.channelTyping(to.channel), action });
}

function isCode(error: unknown, ...wanted: readonly string[]): boolean {
  return error instanceof PlatformError && wanted.includes(error.code);
}

import { createHash } from "node:crypto";
import { type RawFile, type RESTOptions, Routes } from "discord.js";
import type { Logger } from "pino";
import { z } from "zod";
import type { Adapter, AnswerFile, CommandEntry, Receive } from "../../src/adapter.ts";
import { describeError, PlatformError } from "../../src/errors.ts";
import type { Address, ChatEvent } from "../../src/event.ts";
import { type Api, createApi } from "./api.ts";
import { registerCommands } from "./commands.ts";
import { sorryIn, takeInteraction } from "./deferral.ts";
import { createDiscordDialect, type DiscordBody } from "./dialect.ts";
import { codes } from "./errors.ts";
import { type DiscordAddress, toInteractionEvent, toMessageEvent } from "./events.ts";
import { filesOf } from "./files.ts";
import { createGateway, type Dispatch } from "./gateway.ts";
import { discordPayload } from "./payload.ts";

/** How the Discord adapter is set up. */
export interface DiscordOptions {
  /** The bot's token, from the Developer Portal. */
  readonly token: string;
  /** The API without its version, such as "http://127.0.0.1:1234/api"; Discord's own if absent. */
  readonly apiRoot?: string;
  /** An undici dispatcher for requests, if a proxy is set. */
  readonly agent?: RESTOptions["agent"];
  readonly log?: Pick<Logger, "info" | "warn" | "error">;
  /** The least time between two writes of a growing answer, in ms. */
  readonly pace?: Adapter["pace"];
  /** So many messages of an answer come before the rest comes as a file; 20 if absent. */
  readonly fileAfter?: number;
}

/** A message as a request takes it. */
interface Outgoing {
  readonly body: object;
  readonly files?: readonly RawFile[];
}

/** Where events go, and the commands that Discord should offer. */
interface Intake {
  readonly receive: Receive;
  readonly menu: readonly CommandEntry[];
}

type InteractionAddress = Extract<DiscordAddress, { interaction: string }>;

/** The channel's historic bucket is 5 writes in 5 s, edits included. */
const PACE = { direct: 1200, group: 1200 };
/** A token that dies this soon is not used for a new message, in ms. */
const EXPIRY_MARGIN_MS = 30_000;
/** Create Message takes at most this many characters of nonce. */
const NONCE_LENGTH = 25;
/** In channels there is no limit: so many messages are enough of scrolling. */
const FILE_AFTER = 20;
/** Five follow-ups, one of them with the file, and the original response (API docs, "Receiving and Responding"). */
const USER_INSTALL_PAGES = 5;
/** Marks the reference of a message that was posted to the channel, not to the interaction. */
const CHANNEL_PREFIX = "channel:";
/** The interaction takes no more messages; the channel may. */
const INTERACTION_OVER: readonly string[] = [
  codes.invalidWebhookToken,
  codes.unknownWebhook,
  codes.tooManyFollowups,
];

const readySchema = z.object({
  application: z.object({ id: z.string() }).optional(),
  user: z.object({ id: z.string() }).optional(),
});
const createdSchema = z.object({ id: z.string() });

/** Talks with people on Discord: in direct messages and by slash commands. */
export function createDiscord(options: DiscordOptions): Adapter<DiscordBody> {
  const { log, fileAfter = FILE_AFTER } = options;
  const token = options.token.trim().replace(/^Bot\s+/i, "");
  const api = createApi({ ...options, token });
  const gateway = createGateway({ ...options, token });

  return {
    name: "discord",
    dialect: createDiscordDialect(),
    pace: options.pace ?? PACE,
    start: (receive, menu) => gateway.start((dispatch) => onDispatch(dispatch, { receive, menu })),
    stop: () => gateway.stop(),
    trouble: () => gateway.trouble(),
    send: async (to, body, key) => send(api, readAddress(to), { body: discordPayload(body), key }),
    edit: async (to, ref, body) => edit(api, readAddress(to), { ref, body }),
    remove: async (to, ref) => remove(api, readAddress(to), ref),
    mostPages: (to) =>
      userInstallOnly(readAddress(to)) ? Math.min(fileAfter, USER_INSTALL_PAGES) : fileAfter,
    sendFile: async (to, file, key) => sendFile(api, readAddress(to), { file, key }),
    typing: async (to) => typing(api, readAddress(to)),
  };

  function onDispatch({ type, payload }: Dispatch, { receive, menu }: Intake): void {
    if (type === "READY") {
      const application = applicationOf(payload);
      if (application) void registerCommands({ api, application, menu, log });
    } else if (type === "MESSAGE_CREATE") {
      const event = toMessageEvent(payload);
      if (event) void takeMessage(event, receive);
    } else if (type === "INTERACTION_CREATE") {
      const interaction = toInteractionEvent(payload);
      if (interaction) void takeInteraction(interaction, { receive, api, log });
    }
  }

  async function takeMessage(event: ChatEvent, receive: Receive): Promise<void> {
    try {
      await receive(event);
    } catch (error) {
      log?.error(`A direct message could not be stored: ${describeError(error)}`);
      const body = discordPayload({ content: sorryIn(event.user.locale) });
      await send(api, readAddress(event.to), { body, key: `${event.id}#lost` }).catch((failure: unknown) =>
        log?.warn(describeError(failure)),
      );
    }
  }
}

function applicationOf(ready: unknown): string | undefined {
  const { application, user } = readySchema.safeParse(ready).data ?? {};
  // The bot's own id is the application's, but for the oldest bots.
  return application?.id ?? user?.id;
}

function readAddress(to: Address): DiscordAddress {
  const { channel, application, interaction, expires, fileBytes } = to;
  if (typeof channel !== "string")
    throw new PlatformError("discord_address", "This is no address of Discord's adapter.", {
      permanent: true,
    });
  if (typeof application !== "string" || typeof interaction !== "string" || typeof expires !== "number")
    return { channel };
  return {
    channel,
    application,
    interaction,
    expires,
    ...(to["userInstallOnly"] === true && { userInstallOnly: true }),
    ...(typeof fileBytes === "number" && { fileBytes }),
  };
}

function userInstallOnly(to: DiscordAddress): to is InteractionAddress {
  return "interaction" in to && to.userInstallOnly === true;
}

/** Posts a message: to the interaction while its token lives, else to the channel. */
async function send(api: Api, to: DiscordAddress, message: Outgoing & { key: string }): Promise<string> {
  if (!("interaction" in to)) return postToChannel(api, to.channel, message);
  if (Date.now() < to.expires - EXPIRY_MARGIN_MS) {
    try {
      return await followUp(api, to, message);
    } catch (error) {
      if (!(error instanceof PlatformError && INTERACTION_OVER.includes(error.code))) throw error;
    }
  }
  return CHANNEL_PREFIX + (await postToChannel(api, to.channel, message));
}

/** If a repeated attempt has used up the follow-ups, the file goes to the message that is always there. */
async function sendFile(
  api: Api,
  to: DiscordAddress,
  { file, key }: { file: AnswerFile; key: string },
): Promise<string> {
  const files = filesOf(file, "interaction" in to ? to.fileBytes : undefined);
  const body = discordPayload({ content: file.note });
  if (!userInstallOnly(to)) return send(api, to, { body, files, key });
  try {
    return await followUp(api, to, { body, files });
  } catch (error) {
    if (!(error instanceof PlatformError && error.code === codes.tooManyFollowups)) throw error;
    const { content: _, ...unchanged } = body;
    const route = Routes.webhookMessage(to.application, to.interaction, "@original");
    const action = "attach a file to the first message";
    return idOf(await api({ method: "PATCH", route, body: unchanged, files, auth: false, action }), action);
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
  if (ref.startsWith(CHANNEL_PREFIX))
    return { route: Routes.channelMessage(to.channel, ref.slice(CHANNEL_PREFIX.length)), auth: true };
  if (Date.now() >= to.expires) return undefined;
  return { route: Routes.webhookMessage(to.application, to.interaction, ref), auth: false };
}

async function edit(
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
  await api({ method: "PATCH", ...place, body: discordPayload(body), action: "edit a message" });
}

/** What only a dead token could take away stays. */
async function remove(api: Api, to: DiscordAddress, ref: string): Promise<void> {
  const place = locate(to, ref);
  if (!place) return;
  await api({ method: "DELETE", ...place, action: "take a message away" }).catch((error: unknown) => {
    if (!(error instanceof PlatformError && error.gone)) throw error;
  });
}

/** Shown in channels only: a deferred slash command already says that the bot is thinking. */
async function typing(api: Api, to: DiscordAddress): Promise<void> {
  if ("interaction" in to) return;
  const action = `show typing in channel ${to.channel}`;
  await api({ method: "POST", route: Routes.channelTyping(to.channel), action });
}

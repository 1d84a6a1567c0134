import { z } from "zod";
import { type Address, type Attachment, type ChatEvent, parseCommand } from "../../../src/event.ts";

/** Where to answer: a message in its channel, a slash command through its webhook and later in the channel. */
export type DiscordAddress = MessageAddress | InteractionAddress;

/** Where to answer a message. */
export interface MessageAddress {
  readonly channel: string;
  /** The id of the message; answers are newer. */
  readonly question?: string;
}

/** Where to answer a slash command. */
export interface InteractionAddress {
  readonly channel: string;
  readonly application: string;
  /** The interaction's token. It is a secret: it allows posting in the bot's name. */
  readonly interaction: string;
  /** When the token expires, in ms since the epoch. */
  readonly expires: number;
  /** The interaction's id, for a first response that is still due. */
  readonly id?: string;
  /** The user's id, for a direct message if the bot may not write to the channel. */
  readonly user?: string;
  /** Only the user installed the bot: it may post 5 follow-ups, and nothing to the channel by itself. */
  readonly userInstallOnly?: true;
  /** The largest file that the interaction accepts, in bytes. */
  readonly fileBytes?: number;
}

/** A slash command or a pressed button, with the data that a deferral needs. */
export interface InteractionEvent {
  readonly event: ChatEvent;
  readonly id: string;
  readonly application: string;
  readonly token: string;
}

/** Lifetime of an interaction's token, in ms (API docs, "Receiving and Responding"). */
const TOKEN_LIFE_MS = 15 * 60_000;
/** The first second of 2015, from which snowflakes count, in ms since the epoch (API reference, "Snowflakes"). */
const DISCORD_EPOCH = 1_420_070_400_000n;
/** Types of messages that users write: DEFAULT and REPLY. */
const USER_MESSAGE_TYPES = [0, 19];
/** Message flag of a voice message. */
const VOICE_MESSAGE = 1 << 13;
/** Context of an interaction in the DM with the bot; in any other, other users may see the answer. */
const BOT_DM = 1;

/** Types of interactions: a slash command, and a button. */
const COMMAND = 2;
const COMPONENT = 3;

const snowflake = z.string().regex(/^\d{1,20}$/);
const user = z.object({
  id: snowflake,
  username: z.string().optional(),
  global_name: z.string().nullish(),
  bot: z.boolean().optional(),
});
const messageSchema = z.object({
  id: snowflake,
  channel_id: snowflake,
  channel_type: z.literal(1).optional(),
  guild_id: z.undefined().optional(),
  webhook_id: z.undefined().optional(),
  type: z.number().refine((type) => USER_MESSAGE_TYPES.includes(type)),
  author: user.extend({ bot: z.literal(false).optional() }),
  content: z.string().catch(""),
  flags: z.number().catch(0),
  attachments: z.array(z.object({ content_type: z.string().optional().catch(undefined) })).catch([]),
  sticker_items: z.array(z.unknown()).catch([]),
});
const interactionSchema = z.object({
  id: snowflake,
  application_id: snowflake,
  type: z.union([z.literal(COMMAND), z.literal(COMPONENT)]),
  token: z.string().min(1),
  channel_id: snowflake,
  guild_id: z.string().optional().catch(undefined),
  context: z.number().nullish(),
  locale: z.string().optional().catch(undefined),
  user: user.optional(),
  member: z.object({ user }).optional(),
  attachment_size_limit: z.int().positive().optional().catch(undefined),
  authorizing_integration_owners: z.record(z.string(), z.unknown()).catch({}),
  data: z.union([
    z.object({
      name: z.string().min(1),
      type: z.literal(1).optional(),
      options: z.array(z.object({ value: z.unknown() })).catch([]),
    }),
    z.object({ custom_id: z.string() }),
  ]),
});

type User = z.infer<typeof user>;

/** Converts a payload into an event; undefined unless it is a direct message from a user. */
export function toMessageEvent(payload: unknown): ChatEvent | undefined {
  const { data: message } = messageSchema.safeParse(payload);
  if (!message) return undefined;
  const { id, author, content, channel_id: channel } = message;
  const to: MessageAddress & Address = { channel, question: id };
  return {
    id: `discord:${id}`,
    platform: "discord",
    user: userOf(author),
    chat: { id: channel, kind: "direct" },
    to,
    ...(parseCommand(content) ?? { text: content }),
    ...(content === "" && { attachments: attachmentsOf(message) }),
    at: timeOf(id),
  };
}

function attachmentsOf({
  attachments,
  sticker_items: stickers,
  flags,
}: z.infer<typeof messageSchema>): Attachment[] {
  if (flags & VOICE_MESSAGE) return [{ kind: "voice" }];
  const kinds = attachments.map(
    ({ content_type: type = "" }) => /^(?:image|audio|video)(?=\/)/.exec(type)?.[0],
  );
  const listed = [...kinds.map((kind) => kind ?? "file"), ...stickers.map(() => "sticker")];
  // Polls, forwarded messages and future kinds have content, but none that we can read.
  return (listed.length > 0 ? listed : ["other"]).map((kind) => ({ kind }));
}

/** Converts a payload into an event; undefined unless it is a slash command or a button that carries one. */
export function toInteractionEvent(payload: unknown): InteractionEvent | undefined {
  const { data: interaction } = interactionSchema.safeParse(payload);
  const author = interaction?.member?.user ?? interaction?.user;
  const command = interaction && commandIn(interaction.data);
  if (!interaction || !author || !command) return undefined;
  const { id, token, application_id: application, channel_id: channel, locale } = interaction;
  const { authorizing_integration_owners: owners, attachment_size_limit: fileBytes } = interaction;
  const at = timeOf(id);
  const to: DiscordAddress & Address = {
    application,
    interaction: token,
    expires: at + TOKEN_LIFE_MS,
    channel,
    id,
    user: author.id,
    ...("1" in owners && !("0" in owners) && { userInstallOnly: true as const }),
    ...(fileBytes && { fileBytes }),
  };
  const event: ChatEvent = {
    id: `discord:${id}`,
    platform: "discord",
    user: { ...userOf(author), ...(locale && { locale }) },
    chat: { id: channel, kind: isDirect(interaction) ? "direct" : "group" },
    to,
    ...command,
    placeholder: "@original",
    at,
  };
  return { event, id, application, token };
}

function commandIn(
  data: z.infer<typeof interactionSchema>["data"],
): { readonly command: string; readonly text: string } | undefined {
  if ("custom_id" in data) return parseCommand(data.custom_id) ?? undefined;
  const value = data.options[0]?.value;
  return { command: data.name.toLowerCase(), text: typeof value === "string" ? value : "" };
}

/** Commands registered before Discord had contexts carry none: without a server and a member it is the DM with the bot. */
function isDirect({ context, guild_id, member }: z.infer<typeof interactionSchema>): boolean {
  return typeof context === "number" ? context === BOT_DM : !guild_id && !member;
}

function userOf({ id, global_name: displayName, username }: User): ChatEvent["user"] {
  const name = displayName || username;
  return { id, ...(name && { name }) };
}

/** The time at which a snowflake was created, in ms since the epoch. */
function timeOf(id: string): number {
  return Number((BigInt(id) >> 22n) + DISCORD_EPOCH);
}

import { z } from "zod";
import { type Address, type Attachment, type ChatEvent, parseCommand } from "../../../src/event.ts";

/** Where to answer a message: the channel. Where to answer a slash command: its webhook, and the channel later. */
export type DiscordAddress = MessageAddress | InteractionAddress;

/** Where to answer a message. */
export interface MessageAddress {
  readonly channel: string;
  /** The message: what answers it is newer. */
  readonly question?: string;
}

/** Where to answer a slash command. */
export interface InteractionAddress {
  readonly channel: string;
  readonly application: string;
  /** The interaction's token: whoever has it may answer in the bot's name. */
  readonly interaction: string;
  /** When the token dies, in ms since the epoch. */
  readonly expires: number;
  /** The interaction, for a first response that is still due. */
  readonly id?: string;
  /** Who asked: if the bot may not write to the channel, their direct messages are left. */
  readonly user?: string;
  /** Only the person installed the bot: it may not write to the channel by itself, and only 5 follow-ups. */
  readonly userInstallOnly?: true;
  /** The largest file that the interaction takes, in bytes. */
  readonly fileBytes?: number;
}

/** A slash command, with what its deferral needs. */
export interface InteractionEvent {
  readonly event: ChatEvent;
  readonly id: string;
  readonly application: string;
  readonly token: string;
}

/** An interaction's token lives for 15 minutes (Discord API docs, "Receiving and Responding"), in ms. */
const TOKEN_LIFE_MS = 15 * 60_000;
/** The first second of 2015 in ms: snowflakes count from it (Discord API reference, "Snowflakes"). */
const DISCORD_EPOCH = 1_420_070_400_000n;
/** Message types that people write: a message, and one that answers another. */
const WRITTEN = [0, 19];
/** Flag of a voice message. */
const VOICE_MESSAGE = 1 << 13;
/** The context of an interaction in the DM with the bot; in any other, other people may read along. */
const BOT_DM = 1;

/** Kinds of interactions: a slash command, and a button. */
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
  type: z.number().refine((type) => WRITTEN.includes(type)),
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

/** A direct message of a person as an event; undefined if it is anything else. */
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
  // A poll, a forwarded message or something newer: there is something, only nothing that we can read.
  return (listed.length > 0 ? listed : ["other"]).map((kind) => ({ kind }));
}

/** A slash command, or the one on a button, as an event; undefined if it is another interaction or none. */
export function toInteractionEvent(payload: unknown): InteractionEvent | undefined {
  const { data: interaction } = interactionSchema.safeParse(payload);
  const author = interaction?.member?.user ?? interaction?.user;
  const said = interaction && saidBy(interaction.data);
  if (!interaction || !author || !said) return undefined;
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
    ...said,
    placeholder: "@original",
    at,
  };
  return { event, id, application, token };
}

function saidBy(
  data: z.infer<typeof interactionSchema>["data"],
): { readonly command: string; readonly text: string } | undefined {
  if ("custom_id" in data) return parseCommand(data.custom_id) ?? undefined;
  const value = data.options[0]?.value;
  return { command: data.name.toLowerCase(), text: typeof value === "string" ? value : "" };
}

/** Commands of before there were contexts tell none; what has no server and no member is the DM with the bot. */
function isDirect({ context, guild_id, member }: z.infer<typeof interactionSchema>): boolean {
  return typeof context === "number" ? context === BOT_DM : !guild_id && !member;
}

function userOf({ id, global_name: shown, username }: User): ChatEvent["user"] {
  const name = shown || username;
  return { id, ...(name && { name }) };
}

/** When a snowflake was made, in ms since the epoch. */
function timeOf(id: string): number {
  return Number((BigInt(id) >> 22n) + DISCORD_EPOCH);
}

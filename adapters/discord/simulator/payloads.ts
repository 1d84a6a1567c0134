import { attachmentId, type Channel, type Entry, type Interaction, type Person } from "./entries.ts";
import { idOf } from "./ids.ts";
import type { RegisteredCommand } from "./rest/commands.ts";

/** The bot, as payloads show it. */
export interface Bot {
  readonly applicationId: string;
  readonly name: string;
}

/** Where a slash command is used: in the DM, in a server with the bot, or where only the user installed it. */
export type Place = "dm" | "guild" | "user-install";

/** An interaction, and the command or button that opened it. */
export type InteractionUse = {
  readonly interaction: Interaction;
  readonly place: Place;
  readonly locale: string;
} & (
  | { readonly command: RegisteredCommand; readonly argument: string }
  | { readonly pressed: Entry; readonly buttonId: string }
);

const USER_DEFAULTS = { discriminator: "0", avatar: null, public_flags: 0 };
/** Message flag of a deferral. */
const LOADING = 1 << 7;
/** View channel, send messages, attach files: enough for what the simulator checks. */
const PERMISSIONS = "2147601472";

/** A user object; without an author it is the bot's. */
export function userJson(author: Person | undefined, bot: Bot): object {
  if (!author)
    return { id: bot.applicationId, username: bot.name, bot: true, global_name: null, ...USER_DEFAULTS };
  return { id: author.id, username: author.name, global_name: author.name, ...USER_DEFAULTS };
}

/** A channel object. */
export function channelJson(channel: Channel, bot: Bot): object {
  if (!channel.person)
    return {
      id: channel.id,
      type: 0,
      name: channel.name,
      guild_id: guildOf(channel),
      permission_overwrites: [],
    };
  return { id: channel.id, type: 1, last_message_id: null, recipients: [userJson(channel.person, bot)] };
}

/** A message object. */
export function messageJson(entry: Entry, channel: Channel, bot: Bot): object {
  const files = [...entry.files, ...entry.attachments.map((name) => ({ name, bytes: 1 }))];
  return {
    id: entry.id,
    channel_id: channel.id,
    type: entry.interaction ? 20 : 0,
    author: userJson(entry.author, bot),
    content: entry.text,
    timestamp: new Date(entry.at).toISOString(),
    edited_timestamp: entry.editedAt ? new Date(entry.editedAt).toISOString() : null,
    flags: entry.flags | (entry.thinking ? LOADING : 0),
    mention_everyone: entry.pings.has("@everyone") || entry.pings.has("@here"),
    mentions: [],
    mention_roles: [],
    attachments: files.map((file, index) => attachmentJson(file, attachmentId(entry, index))),
    embeds: [],
    components: entry.buttons.map(({ label, id }) => ({
      type: 1,
      components: [{ type: 2, style: 2, label, custom_id: id }],
    })),
    pinned: false,
    tts: false,
    ...(entry.nonce === undefined ? {} : { nonce: entry.nonce }),
    ...(entry.interaction ? { webhook_id: bot.applicationId, application_id: bot.applicationId } : {}),
  };
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  png: "image/png",
  jpg: "image/jpeg",
  ogg: "audio/ogg",
  mp4: "video/mp4",
};

function attachmentJson({ name, bytes }: { name: string; bytes: number }, id: string): object {
  const type = CONTENT_TYPES[name.split(".").at(-1) ?? ""];
  return {
    id,
    filename: name,
    size: bytes,
    url: "",
    proxy_url: "",
    ...(type ? { content_type: type } : {}),
  };
}

/** The payload of INTERACTION_CREATE. */
export function interactionJson(
  use: InteractionUse,
  { bot, fileBytes }: { bot: Bot; fileBytes: number },
): object {
  const { interaction, place, locale } = use;
  const { channel, person } = interaction;
  return {
    id: interaction.id,
    application_id: bot.applicationId,
    version: 1,
    token: interaction.token,
    ...("command" in use
      ? { type: 2, data: commandData(use.command, use.argument) }
      : {
          type: 3,
          data: { custom_id: use.buttonId, component_type: 2 },
          message: messageJson(use.pressed, channel, bot),
        }),
    channel: channelJson(channel, bot),
    channel_id: channel.id,
    locale,
    app_permissions: PERMISSIONS,
    entitlements: [],
    attachment_size_limit: fileBytes,
    authorizing_integration_owners:
      place === "user-install" ? { "1": person.id } : { "0": place === "dm" ? "0" : guildOf(channel) },
    context: place === "dm" ? 1 : 0,
    ...(place === "dm" ? { user: userJson(person, bot) } : memberFields(interaction, bot)),
  };
}

function commandData({ id, name, options: [option] }: RegisteredCommand, argument: string): object {
  const options = option && argument ? [{ name: option.name, type: option.type, value: argument }] : [];
  return { id, name, type: 1, options };
}

/** The server and the member of an interaction in a server. */
function memberFields({ channel, person }: Interaction, bot: Bot): object {
  const guild = guildOf(channel);
  return {
    guild_id: guild,
    guild_locale: "en-US",
    guild: { id: guild, locale: "en-US", features: [] },
    member: {
      user: userJson(person, bot),
      roles: [],
      permissions: PERMISSIONS,
      joined_at: null,
      deaf: false,
      mute: false,
      flags: 0,
    },
  };
}

/** The id of a channel's server: of "north" for "north/general", of "home" for "general". */
export function guildOf({ name, open }: Channel): string {
  const [server] = name.includes("/") ? name.split("/") : [];
  return idOf(open ? `guild:${server ?? "home"}` : "guild:elsewhere");
}

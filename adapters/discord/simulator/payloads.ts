import type { Channel, Entry, Interaction, Person } from "./world.ts";
import { attachmentId, EPHEMERAL } from "./world.ts";
import type { RegisteredCommand } from "./commands.ts";
import { idOf } from "./ids.ts";

/** The bot as the simulator's wire shows it. */
export interface Bot {
  readonly applicationId: string;
  readonly name: string;
}

/** Where a slash command is used: in the DM, in a server with the bot, or where only the person installed it. */
export type Place = "dm" | "guild" | "user-install";

const EMBEDDED = { discriminator: "0", avatar: null, public_flags: 0 };
/** A deferral is loading; flag of the message object. */
const LOADING = 1 << 7;
/** View channel, send messages, attach files: enough for what the simulator checks. */
const PERMISSIONS = "2147601472";

/** A user object. */
export function userJson(author: Person | undefined, bot: Bot): object {
  if (!author)
    return { id: bot.applicationId, username: bot.name, bot: true, global_name: null, ...EMBEDDED };
  return { id: author.id, username: author.name, global_name: author.name, ...EMBEDDED };
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

function commandData({ id, name, options: [option] }: RegisteredCommand, answer: string): object {
  const options = option && answer ? [{ name: option.name, type: option.type, value: answer }] : [];
  return { id, name, type: 1, options };
}

function attachmentJson({ name, bytes }: { name: string; bytes: number }, id: string): object {
  const types: Record<string, string> = {
    png: "image/png",
    jpg: "image/jpeg",
    ogg: "audio/ogg",
    mp4: "video/mp4",
  };
  const type = types[name.split(".").at(-1) ?? ""];
  return {
    id,
    filename: name,
    size: bytes,
    url: "",
    proxy_url: "",
    ...(type ? { content_type: type } : {}),
  };
}

/** What the gateway sends when somebody uses a slash command. */
export function interactionJson(
  interaction: Interaction,
  use: { readonly command: RegisteredCommand } | { readonly pressed: Entry; readonly id: string },
  more: { bot: Bot; place: Place; locale: string; answer: string; fileBytes: number },
): object {
  const { bot, place, locale, answer } = more;
  const { channel, person } = interaction;
  const user = userJson(person, bot);
  const guild = guildOf(channel);
  return {
    id: interaction.id,
    application_id: bot.applicationId,
    type: "command" in use ? 2 : 3,
    version: 1,
    token: interaction.token,
    ...("command" in use
      ? { data: commandData(use.command, answer) }
      : { data: { custom_id: use.id, component_type: 2 }, message: messageJson(use.pressed, channel, bot) }),
    channel: channelJson(channel, bot),
    channel_id: channel.id,
    locale,
    app_permissions: PERMISSIONS,
    entitlements: [],
    attachment_size_limit: more.fileBytes,
    authorizing_integration_owners:
      place === "user-install" ? { "1": person.id } : { "0": place === "dm" ? "0" : guild },
    context: place === "dm" ? 1 : 0,
    ...(place === "dm"
      ? { user }
      : {
          guild_id: guild,
          guild_locale: "en-US",
          guild: { id: guild, locale: "en-US", features: [] },
          member: {
            user,
            roles: [],
            permissions: PERMISSIONS,
            joined_at: null,
            deaf: false,
            mute: false,
            flags: 0,
          },
        }),
  };
}

/** The id of a channel's server: "north" of "north/general", "home" of "general". */
export function guildOf({ name, open }: Channel): string {
  const [server] = name.includes("/") ? name.split("/") : [];
  return idOf(open ? `guild:${server ?? "home"}` : "guild:elsewhere");
}

/** Whether the API shows a message at all: what is ephemeral is not in the channel. */
export function isPublic(entry: Entry): boolean {
  return (entry.flags & EPHEMERAL) === 0;
}

import type { SimulatedButton } from "./components.ts";
import { randomBytes } from "node:crypto";
import type { MessageBody, SentFile } from "./body.ts";
import { createSnowflakes, idOf } from "./ids.ts";
import { DEFAULT_MENTIONS, pingsOf } from "./mentions.ts";
import { refusals } from "./refusal.ts";

/** Somebody who talks to the bot. */
export interface Person {
  readonly id: string;
  readonly name: string;
  /** They do not let the bot write to them. */
  blocking: boolean;
}

/** A DM with one person, or a channel of a server. */
export interface Channel {
  readonly id: string;
  readonly name: string;
  /** The person of a DM; undefined in a server. */
  readonly person?: Person;
  /** Whether the bot's own token may read and write here: not where only a person installed it. */
  readonly open: boolean;
  readonly entries: Entry[];
  /** Until when the bot is shown to be typing, in ms since the epoch. */
  typingUntil?: number;
}

/** A line of a channel. */
export interface Entry {
  readonly id: string;
  /** Undefined is the bot. */
  readonly author: Person | undefined;
  readonly at: number;
  text: string;
  flags: number;
  edits: number;
  editedAt: number | undefined;
  /** A deferral that waits for its answer. */
  thinking: boolean;
  pings: Set<string>;
  files: readonly SentFile[];
  /** What the bot lets people choose below it. */
  buttons: readonly SimulatedButton[];
  /** File names of what a person attached. */
  readonly attachments: readonly string[];
  readonly nonce: string | undefined;
  /** The interaction that a person's slash command opened (this is its line), or that the bot answers with it. */
  readonly interaction?: Interaction;
}

/** A use of a slash command. */
export interface Interaction {
  readonly id: string;
  readonly token: string;
  readonly at: number;
  readonly person: Person;
  readonly channel: Channel;
  readonly userInstallOnly: boolean;
  /** The first response, once there is one. */
  original: Entry | undefined;
  followups: number;
}

/** What the world asks of its surroundings. */
export interface WorldOptions {
  readonly clock: () => number;
  /** How long a slash command waits for its first response, in ms. */
  readonly responseMs: number;
  /** How long an interaction's token lives, in ms. */
  readonly tokenMs: number;
  /** So many lines are remembered in each channel. */
  readonly keep: number;
  /** Told of each line that is new, changed or taken away. */
  readonly onChange: (kind: "CREATE" | "UPDATE" | "DELETE", entry: Entry, channel: Channel) => void;
}

/** Message flag: only the person who used the command sees it. */
export const EPHEMERAL = 1 << 6;
/** Trigger Typing Indicator: it goes after 10 s, or with the bot's message; in ms. */
const TYPING_MS = 10_000;
/** "The past few minutes" of Create Message's `enforce_nonce`, in ms. */
const NONCE_MEMORY = 5 * 60_000;
/** Discord API docs, "Receiving and Responding": for apps that only the person installed. */
const USER_INSTALL_FOLLOWUPS = 5;

export type World = ReturnType<typeof createWorld>;

/** People, channels and interactions, and the rules for writing into them. Refuses by throwing a `Refusal`. */
export function createWorld({ clock, responseMs, tokenMs, keep, onChange }: WorldOptions) {
  const nextId = createSnowflakes(clock);
  const people = new Map<string, Person>();
  const channels = new Map<string, Channel>();
  const interactions = new Map<string, Interaction>();

  function person(name: string): Person {
    const id = idOf(name);
    const known = people.get(id) ?? { id, name, blocking: false };
    people.set(id, known);
    return known;
  }

  function directChannel(of: Person): Channel {
    return channelOf({ id: idOf(`dm:${of.name}`), name: of.name, person: of, open: true, entries: [] });
  }

  function serverChannel(name: string, open: boolean): Channel {
    return channelOf({ id: idOf(`channel:${name}`), name, open, entries: [] });
  }

  function channelOf(fresh: Channel): Channel {
    const channel = channels.get(fresh.id) ?? fresh;
    channels.set(channel.id, channel);
    return channel;
  }

  function openChannel(id: string): Channel {
    const channel = channels.get(id);
    if (!channel) throw refusals.unknownChannel();
    if (!channel.open) throw refusals.missingAccess();
    return channel;
  }

  function recipient(id: unknown): Person {
    const found = people.get(String(id));
    if (!found) throw refusals.unknownRecipient();
    return found;
  }

  function add(channel: Channel, entry: Partial<Entry>): Entry {
    const blank = { text: "", flags: 0, edits: 0, editedAt: undefined, thinking: false, nonce: undefined };
    const fresh = { author: undefined, pings: new Set<string>(), files: [], buttons: [], attachments: [] };
    const whole: Entry = { id: nextId(), at: clock(), ...blank, ...fresh, ...entry };
    channel.entries.push(whole);
    channel.entries.splice(0, Math.max(0, channel.entries.length - keep));
    if (!whole.author) channel.typingUntil = 0;
    onChange("CREATE", whole, channel);
    return whole;
  }

  /** Trigger Typing Indicator. */
  function type(channel: Channel): void {
    channel.typingUntil = clock() + TYPING_MS;
  }

  function typing({ typingUntil = 0 }: Channel): boolean {
    return typingUntil > clock();
  }

  /** What a person writes. */
  function say(channel: Channel, entry: Partial<Entry>): Entry {
    return add(channel, entry);
  }

  /** Create Message. */
  function post(channel: Channel, body: MessageBody): Entry {
    if (channel.person?.blocking) throw refusals.blocked();
    const twin = body.enforceNonce && body.nonce !== undefined ? sameNonce(channel, body.nonce) : undefined;
    return twin ?? write(channel, body, { nonce: body.nonce });
  }

  function sameNonce(channel: Channel, nonce: string): Entry | undefined {
    return channel.entries.find(
      (entry) => !entry.author && entry.nonce === nonce && clock() - entry.at < NONCE_MEMORY,
    );
  }

  function write(channel: Channel, body: MessageBody, more: Partial<Entry>): Entry {
    const text = body.content ?? "";
    if (!text && body.files.length === 0 && body.embeds === 0) throw refusals.emptyMessage();
    const usual = more.interaction ? DEFAULT_MENTIONS.webhook : DEFAULT_MENTIONS.channel;
    const pings = new Set(pingsOf(text, body.mentions ?? usual));
    const { files, flags, buttons = [] } = body;
    return add(channel, { text, pings, files, flags, buttons, ...more });
  }

  /** Edit Message: also what turns a deferral into an answer. An edit that names no mentions allows the usual ones. */
  function edit(channel: Channel, entry: Entry, body: MessageBody): Entry {
    const text = body.content ?? entry.text;
    if (!text && body.files.length + entry.files.length === 0 && body.embeds === 0)
      throw refusals.emptyMessage();
    const usual = entry.interaction ? DEFAULT_MENTIONS.webhook : DEFAULT_MENTIONS.channel;
    for (const ping of pingsOf(text, body.mentions ?? usual)) entry.pings.add(ping);
    entry.text = text;
    const { kept } = body;
    const old = entry.files.filter((_, index) => kept?.includes(attachmentId(entry, index)) ?? true);
    entry.files = [...old, ...body.files];
    entry.buttons = body.buttons ?? entry.buttons;
    if (!entry.thinking) entry.edits++;
    entry.thinking = false;
    entry.editedAt = clock();
    onChange("UPDATE", entry, channel);
    return entry;
  }

  function remove(channel: Channel, entry: Entry): void {
    channel.entries.splice(channel.entries.indexOf(entry), 1);
    onChange("DELETE", entry, channel);
  }

  function message(channel: Channel, id: string): Entry {
    const entry = channel.entries.find((line) => line.id === id && !isCommand(line));
    if (!entry) throw refusals.unknownMessage();
    return entry;
  }

  function openInteraction(of: Pick<Interaction, "person" | "channel" | "userInstallOnly">): Interaction {
    const token = randomBytes(120).toString("base64url");
    const interaction = { ...of, id: nextId(), token, at: clock(), original: undefined, followups: 0 };
    interactions.set(token, interaction);
    return interaction;
  }

  /** Create Interaction Response, types 4 (message) and 5 (deferral): within 3 s and once. */
  function respond(id: string, token: string, { type, body }: { type: number; body: MessageBody }): Entry {
    const interaction = interactions.get(token);
    if (interaction?.id !== id) throw refusals.unknownInteraction();
    if (interaction.original) throw refusals.acknowledged();
    if (clock() - interaction.at > responseMs) throw refusals.unknownInteraction();
    const { channel } = interaction;
    interaction.original =
      type === 5
        ? add(channel, { thinking: true, interaction, flags: body.flags & EPHEMERAL })
        : write(channel, body, { interaction });
    return interaction.original;
  }

  /** The interaction of a webhook URL: it exists once there was a response, and dies with its token. */
  function webhook(token: string): { interaction: Interaction; channel: Channel; original: Entry } {
    const interaction = interactions.get(token);
    if (!interaction?.original) throw refusals.unknownWebhook();
    if (clock() - interaction.at > tokenMs) throw refusals.expiredToken();
    return { interaction, channel: interaction.channel, original: interaction.original };
  }

  /** Create Followup Message: the first one after a deferral fills the deferral. */
  function followUp(token: string, body: MessageBody): Entry {
    const { interaction, channel, original } = webhook(token);
    if (original.thinking) return edit(channel, original, body);
    if (interaction.userInstallOnly && interaction.followups >= USER_INSTALL_FOLLOWUPS)
      throw refusals.tooManyFollowups();
    const entry = write(channel, body, { interaction });
    interaction.followups++;
    return entry;
  }

  function webhookMessage(token: string, id: string): { channel: Channel; entry: Entry } {
    const { channel, original } = webhook(token);
    const entry = message(channel, id === "@original" ? original.id : id);
    if (entry.interaction?.token !== token) throw refusals.unknownMessage();
    return { channel, entry };
  }

  /** A slash command that got no response in time: the person reads "The application did not respond". */
  function unanswered({ original, at }: Interaction): boolean {
    return !original && clock() - at > responseMs;
  }

  return {
    person,
    recipient,
    directChannel,
    serverChannel,
    openChannel,
    message,
    type,
    typing,
    say,
    post,
    edit,
    remove,
    openInteraction,
    respond,
    webhook,
    followUp,
    webhookMessage,
    unanswered,
  };
}

/** The id of a message's attachment. */
export function attachmentId({ id }: Entry, index: number): string {
  return idOf(`${id}:${index}`);
}

/** A person's line that is a slash command, which is no message to the API. */
export function isCommand(entry: Entry): boolean {
  return entry.author !== undefined && entry.interaction !== undefined;
}

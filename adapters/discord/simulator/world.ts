import { attachmentId, type Channel, type Entry, isCommand, type Person } from "./entries.ts";
import { createSnowflakes, idOf } from "./ids.ts";
import { createInteractions } from "./interactions.ts";
import { DEFAULT_MENTIONS, pingsOf } from "./mentions.ts";
import type { MessageBody } from "./rest/body.ts";
import { refusals } from "./rest/refusal.ts";

/** Options of the simulated world. */
export interface WorldOptions {
  readonly clock: () => number;
  /** How long a slash command waits for its first response, in ms. */
  readonly responseMs: number;
  /** Lifetime of an interaction's token, in ms. */
  readonly tokenMs: number;
  /** How many lines of each channel to keep. */
  readonly keep: number;
  /** Called for each line that is created, changed or deleted. */
  readonly onChange: (kind: "CREATE" | "UPDATE" | "DELETE", entry: Entry, channel: Channel) => void;
}

/** How long "Trigger Typing Indicator" lasts, unless the bot posts a message before, in ms. */
const TYPING_MS = 10_000;
/** "The past few minutes" of the `enforce_nonce` of "Create Message", in ms. */
const NONCE_TTL_MS = 5 * 60_000;

export type World = ReturnType<typeof createWorld>;

/** Creates people, channels and interactions, with the rules for writing to them. It refuses by throwing a `Refusal`. */
export function createWorld({ clock, responseMs, tokenMs, keep, onChange }: WorldOptions) {
  const nextId = createSnowflakes(clock);
  const people = new Map<string, Person>();
  const channels = new Map<string, Channel>();

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

  /** "Trigger Typing Indicator". */
  function type(channel: Channel): void {
    channel.typingUntil = clock() + TYPING_MS;
  }

  function typing({ typingUntil = 0 }: Channel): boolean {
    return typingUntil > clock();
  }

  /** "Create Message". */
  function post(channel: Channel, body: MessageBody): Entry {
    if (channel.person?.blocking) throw refusals.blocked();
    const twin = body.enforceNonce && body.nonce !== undefined ? sameNonce(channel, body.nonce) : undefined;
    return twin ?? write(channel, body, { nonce: body.nonce });
  }

  function sameNonce(channel: Channel, nonce: string): Entry | undefined {
    return channel.entries.find(
      (entry) => !entry.author && entry.nonce === nonce && clock() - entry.at < NONCE_TTL_MS,
    );
  }

  function write(channel: Channel, body: MessageBody, more: Partial<Entry>): Entry {
    const text = body.content ?? "";
    if (!text && body.files.length === 0 && body.embeds === 0) throw refusals.emptyMessage();
    const defaults = more.interaction ? DEFAULT_MENTIONS.webhook : DEFAULT_MENTIONS.channel;
    const pings = new Set(pingsOf(text, body.mentions ?? defaults));
    const { files, flags, buttons = [] } = body;
    return add(channel, { text, pings, files, flags, buttons, ...more });
  }

  /** "Edit Message", which also turns a deferral into an answer. Without `allowed_mentions` the defaults apply again. */
  function edit(channel: Channel, entry: Entry, body: MessageBody): Entry {
    const text = body.content ?? entry.text;
    if (!text && body.files.length + entry.files.length === 0 && body.embeds === 0)
      throw refusals.emptyMessage();
    const defaults = entry.interaction ? DEFAULT_MENTIONS.webhook : DEFAULT_MENTIONS.channel;
    for (const ping of pingsOf(text, body.mentions ?? defaults)) entry.pings.add(ping);
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

  return {
    person,
    recipient,
    directChannel,
    serverChannel,
    openChannel,
    message,
    type,
    typing,
    /** Adds a user's message. */
    say: add,
    post,
    edit,
    remove,
    ...createInteractions({ clock, responseMs, tokenMs, nextId, add, write, edit, message }),
  };
}

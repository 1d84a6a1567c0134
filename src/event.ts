/**
 * The most that one message may say, in UTF-16 units; of a longer one its author is told that it was too long. Telegram
 * lets people write 4,096 characters at once and Discord 4,000; where they may paste any length, this is about as much
 * as a model's context takes.
 */
export const MAX_TEXT = 100_000;

/** What someone said, as plain JSON: it can be stored before it is acknowledged and handled by another process. */
export interface ChatEvent {
  /** The platform's own delivery id, unique over all platforms and bots; the same id twice is the same event. */
  readonly id: string;
  /** The adapter's name. */
  readonly platform: string;
  readonly user: User;
  readonly chat: Chat;
  /** Where to answer; only the event's adapter reads it. */
  readonly to: Address;
  /** What was said, without the command and its name. */
  readonly text: string;
  /** "reset" for /reset; lower case. */
  readonly command?: string;
  /** The command was given without words, such as by a button: what it does is seen, so nothing is said about it. */
  readonly silent?: true;
  /** Too much was waiting in its conversation: neither this nor what followed was taken in, and the answer is to say so. */
  readonly overflow?: true;
  /** How many UTF-16 units the text had, which were more than `MAX_TEXT`: only its beginning is here, and the answer is to say so. */
  readonly tooLong?: number;
  /** When an earlier question was said, in ms since the epoch: that and all that followed is forgotten before this. */
  readonly rewinds?: number;
  readonly attachments?: readonly Attachment[];
  /** A message of the bot that already stands for the answer (a deferral): the answer replaces it. */
  readonly placeholder?: string;
  /** When it was said, in ms since the epoch. */
  readonly at: number;
}

/** Who said it. */
export interface User {
  /** The platform's id, as a string. */
  readonly id: string;
  readonly name?: string;
  /** BCP 47 tag that the platform tells, such as "zh-CN". */
  readonly locale?: string;
}

/** Where it was said. */
export interface Chat {
  readonly id: string;
  readonly kind: ChatKind;
  /** Which of several conversations that a person has in this chat; absent for the one that is always there. */
  readonly thread?: string;
}

/** A chat with one person, or one that others can read. */
export type ChatKind = "direct" | "group";

/** Any JSON object: the adapter that wrote it is the only one to read it. */
export type Address = { readonly [field: string]: Json };

/** A value that survives JSON. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [field: string]: Json };

/** Something sent along with the text. */
export interface Attachment {
  /** "image", "voice", "file", … */
  readonly kind: string;
  /** By which the event's adapter finds what was sent; absent where it cannot be fetched. */
  readonly ref?: string;
}

/**
 * The conversation that an event belongs to: `platform:user` in a direct chat, `platform:user:chat` in a
 * group, so that what a person said in private is never quoted before others; and a thread of its own behind
 * that, `platform:user::thread` in a direct chat.
 */
export function conversationKey({
  platform,
  user,
  chat,
}: Pick<ChatEvent, "platform" | "user" | "chat">): string {
  const parts = [platform, user.id];
  if (chat.kind === "group") parts.push(chat.id);
  else if (chat.thread !== undefined) parts.push("");
  if (chat.thread !== undefined) parts.push(chat.thread);
  // Half a character would become the same replacement character in every store, whichever half it was; and some
  // stores take no character of code 0.
  return parts.map((part) => part.replace(/[%:\0]|\p{Surrogate}/gu, escaped)).join(":");
}

function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** What a key is made of; undefined if `conversationKey` has not made it. */
export function partsOfKey(key: string): KeyParts | undefined {
  const parts = key.split(":").map((part) => part.replace(/%(0|25|3A|D[89A-F]..)/g, unescaped));
  const [platform, user, chat, thread] = parts;
  if (!platform || user === undefined || parts.length > 4) return undefined;
  return { platform, user, ...(chat && { chat }), ...(thread !== undefined && { thread }) };
}

/** Whose conversation a key stands for, and which; `chat` only in a group. */
export interface KeyParts {
  readonly platform: string;
  readonly user: string;
  readonly chat?: string;
  readonly thread?: string;
}

function unescaped(_: string, code: string): string {
  return String.fromCharCode(Number.parseInt(code, 16));
}

/** How much of a text that is too long is kept, for its author to recognise it, in UTF-16 units. */
const KEPT_TEXT = 200;

/** An event as it is taken in: of a text that is too long only its beginning and its length. */
export function withinLength(event: ChatEvent): ChatEvent {
  const { text } = event;
  if (text.length <= MAX_TEXT) return event;
  return { ...event, text: text.slice(0, KEPT_TEXT).replace(/\p{Surrogate}$/u, ""), tooLong: text.length };
}

/**
 * Takes "/name rest" apart. `@bot` after the name must be `botName` (if given, compared without case):
 * a command for another bot is null, and so is text that is no command.
 */
export function parseCommand(text: string, botName?: string): { command: string; text: string } | null {
  const match = /^\s*\/([a-z0-9_-]{1,32})(?:@(\w+))?(?:\s+|$)/i.exec(text);
  if (!match?.[1]) return null;
  const [whole, name, bot] = match;
  if (bot && botName && bot.toLowerCase() !== botName.toLowerCase()) return null;
  return { command: name.toLowerCase(), text: text.slice(whole.length) };
}

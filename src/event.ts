/**
 * The longest text of one message, in UTF-16 units; the author of a longer one is told so. Telegram lets people write 4,096
 * characters at once and Discord 4,000; on platforms without such a limit this is about as much as a model's context holds.
 */
export const MAX_TEXT = 100_000;

/** What a user said, as plain JSON: it can be stored before it is acknowledged, and answered by another process. */
export interface ChatEvent {
  /** The platform's own delivery id, unique across platforms and bots. An id that comes twice is the same event. */
  readonly id: string;
  /** The adapter's name. */
  readonly platform: string;
  readonly user: User;
  readonly chat: Chat;
  /** Where to answer; only the event's adapter reads it. */
  readonly to: Address;
  /** The text, without the command. */
  readonly text: string;
  /** The command in lower case, such as "reset" for `/reset`. */
  readonly command?: string;
  /** The command came from a button or the like: its effect is visible, so the bot says nothing about it. */
  readonly silent?: true;
  /** The conversation was full: this event and those after it were not accepted, and the answer says so. */
  readonly overflow?: true;
  /** The length of a text over `MAX_TEXT`, in UTF-16 units: only its beginning is here, and the answer says so. */
  readonly tooLong?: number;
  /** The time of an earlier question, in ms since the epoch: it and everything after it is forgotten first. */
  readonly rewinds?: number;
  readonly attachments?: readonly Attachment[];
  /** A message of the bot that the platform already shows (a deferral): the answer replaces it. */
  readonly placeholder?: string;
  /** When it was sent, in ms since the epoch. */
  readonly at: number;
}

/** The author of an event. */
export interface User {
  /** The platform's id of the user. */
  readonly id: string;
  readonly name?: string;
  /** A BCP 47 tag, such as "zh-CN", if the platform reports one. */
  readonly locale?: string;
}

/** The chat that an event came from. */
export interface Chat {
  readonly id: string;
  readonly kind: ChatKind;
  /** Which of the user's conversations in this chat; absent for the default one. */
  readonly thread?: string;
}

/** A chat with one user, or one that others can read too. */
export type ChatKind = "direct" | "group";

/** Any JSON object; only the adapter that wrote it reads it. */
export type Address = { readonly [field: string]: Json };

/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [field: string]: Json };

/** Something sent along with the text. */
export interface Attachment {
  /** "image", "voice", "file", … */
  readonly kind: string;
  /** How the adapter finds the attachment; absent if it cannot be fetched. */
  readonly ref?: string;
}

/**
 * The key of the conversation that an event belongs to: `platform:user` in a direct chat and `platform:user:chat` in a
 * group, so that private messages never appear in front of others. A thread comes last: `platform:user::thread` in a
 * direct chat.
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
  // Stores replace any half of a surrogate pair by the same character, and some do not accept the character of code 0.
  return parts.map((part) => part.replace(/[%:\0]|\p{Surrogate}/gu, escaped)).join(":");
}

function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** The parts of a key; undefined if `conversationKey` did not create it. */
export function partsOfKey(key: string): KeyParts | undefined {
  const parts = key.split(":").map((part) => part.replace(/%(0|25|3A|D[89A-F]..)/g, unescaped));
  const [platform, user, chat, thread] = parts;
  if (!platform || user === undefined || parts.length > 4) return undefined;
  return { platform, user, ...(chat && { chat }), ...(thread !== undefined && { thread }) };
}

/** Whose conversation a key names, and which one; `chat` only in a group. */
export interface KeyParts {
  readonly platform: string;
  readonly user: string;
  readonly chat?: string;
  readonly thread?: string;
}

function unescaped(_: string, code: string): string {
  return String.fromCharCode(Number.parseInt(code, 16));
}

/**
 * Parses "/name rest". Returns null for any other text, and for a command to another bot: `@bot` after the name must be
 * `botName`, if that is given (compared without case).
 *
 * @example parseCommand("/ask@my_bot why is rain", "my_bot"); // { command: "ask", text: "why is rain" }
 */
export function parseCommand(text: string, botName?: string): { command: string; text: string } | null {
  const match = /^\s*\/([a-z0-9_-]{1,32})(?:@(\w+))?(?:\s+|$)/i.exec(text);
  if (!match?.[1]) return null;
  const [whole, name, bot] = match;
  if (bot && botName && bot.toLowerCase() !== botName.toLowerCase()) return null;
  return { command: name.toLowerCase(), text: text.slice(whole.length) };
}

import type { z } from "zod";
import {
  type Address,
  type Attachment,
  type ChatEvent,
  parseCommand,
  type User,
} from "../../../src/event.ts";
import { addressed } from "./addressed.ts";
import { type Bot, Message, Pressed, type Sender, STOPPED, Stopped, Update } from "./schemas.ts";

/** The kinds of updates to request from Telegram; with drafts, also presses of the button below them. */
export function wantedUpdates(drafts: boolean): string[] {
  return drafts ? ["message", "callback_query", STOPPED] : ["message", "callback_query"];
}

/** The kind of an attachment, by the field of the message that holds it. */
const ATTACHMENTS: Readonly<Record<string, string>> = {
  photo: "image",
  voice: "voice",
  audio: "audio",
  video: "video",
  video_note: "video",
  animation: "video",
  document: "file",
  sticker: "sticker",
  location: "location",
  contact: "contact",
  poll: "poll",
  dice: "dice",
};

/**
 * Converts an update to an event. Returns undefined for an update that the bot ignores: an edit, a service message,
 * another bot's message, or a message in a group that does not address the bot. Throws a `ZodError` if the update is
 * malformed.
 */
export function toEvent(raw: unknown, bot: Bot): ChatEvent | undefined {
  const update = Update.parse(raw);
  const id = `telegram:${bot.id}:${update.update_id}`;
  if (update[STOPPED] !== undefined) return { id, ...toStop(Stopped.parse(update[STOPPED])) };
  if (update.callback_query !== undefined) return toChosen(update.callback_query, id);
  if (update.message === undefined) return undefined;
  const message = Message.parse(update.message);
  const { from, chat } = message;
  if (!from || from.is_bot || chat.type === "channel") return undefined;
  const attachments = attachmentsOf(update.message);
  const text = addressed(message, bot);
  if (text === undefined || (!hasText(message) && attachments.length === 0)) return undefined;
  return {
    id,
    platform: "telegram",
    user: toUser(from),
    chat: { id: String(chat.id), kind: chat.type === "private" ? "direct" : "group" },
    to: toAddress(message),
    ...(parseCommand(text, bot.username) ?? { text }),
    ...(attachments.length > 0 && { attachments }),
    at: message.date === undefined ? Date.now() : message.date * 1000,
  };
}

/**
 * A pressed button as the command that it issues; undefined if it has no command, or if there is no chat to answer
 * in.
 */
function toChosen(raw: unknown, id: string): ChatEvent | undefined {
  const { data: pressed } = Pressed.safeParse(raw);
  const command = pressed && parseCommand(pressed.data);
  if (!command || pressed.message.chat.type === "channel") return undefined;
  const { from, message } = pressed;
  return {
    id,
    platform: "telegram",
    user: toUser(from),
    chat: { id: String(message.chat.id), kind: message.chat.type === "private" ? "direct" : "group" },
    to: toAddress(message),
    ...command,
    at: Date.now(),
  };
}

/** The id of a button press, which has to be answered: the button shows a progress animation until then. */
export function pressIn(raw: unknown): string | undefined {
  return Pressed.safeParse(Update.safeParse(raw).data?.callback_query).data?.id;
}

/** The command /stop, silent because the user has written nothing. */
function toStop({ chat, message_thread_id: thread }: Stopped): Omit<ChatEvent, "id"> {
  return {
    platform: "telegram",
    user: toUser(chat),
    chat: { id: String(chat.id), kind: "direct" },
    to: { chat: chat.id, ...(thread !== undefined && { thread }) },
    text: "",
    command: "stop",
    silent: true,
    at: Date.now(),
  };
}

/** The update's number, if it has one. The next poll acknowledges all updates up to the highest. */
export function updateId(raw: unknown): number | undefined {
  return Update.safeParse(raw).data?.update_id;
}

function hasText(message: Message): boolean {
  return Boolean((message.text ?? message.caption)?.trim());
}

function attachmentsOf(message: unknown): Attachment[] {
  if (typeof message !== "object" || message === null) return [];
  const kinds = Object.keys(message).flatMap((key) =>
    Object.hasOwn(ATTACHMENTS, key) ? [ATTACHMENTS[key]] : [],
  );
  // An animation is also sent as a document, for clients that do not support animations.
  const [kind] = kinds.filter((each) => each !== "file" || kinds.length === 1);
  return kind ? [{ kind }] : [];
}

function toUser({
  id,
  first_name,
  last_name,
  username,
  language_code,
}: Omit<z.infer<typeof Sender>, "is_bot">): User {
  const name = [first_name, last_name].filter(Boolean).join(" ").trim() || username;
  return { id: String(id), ...(name && { name }), ...(language_code && { locale: language_code }) };
}

/** The chat to answer in, and the message to answer. */
function toAddress({
  chat,
  message_id,
  message_thread_id: thread,
  is_topic_message,
}: Pick<Message, "chat" | "message_id" | "message_thread_id" | "is_topic_message">): Address {
  return {
    chat: chat.id,
    question: message_id,
    ...(is_topic_message && thread !== undefined && { thread }),
  };
}

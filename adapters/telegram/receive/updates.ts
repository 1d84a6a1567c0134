import { z } from "zod";
import {
  type Address,
  type Attachment,
  type ChatEvent,
  parseCommand,
  type User,
} from "../../../src/event.ts";

/** Who the bot itself is, as getMe tells. */
export const Bot = z.object({ id: z.int(), username: z.string() });
export type Bot = z.infer<typeof Bot>;

/** The kinds of updates that the adapter asks Telegram for; with drafts, the button below them too. */
export function wantedUpdates(drafts: boolean): string[] {
  return drafts ? ["message", "callback_query", STOPPED] : ["message", "callback_query"];
}

/** Somebody has pressed the button that stops an answer: https://core.telegram.org/bots/api#update. */
const STOPPED = "stopped_message_generation";

/** What of a message is read; whatever else it has is left alone: https://core.telegram.org/bots/api#message. */
const Sender = z.object({
  id: z.int(),
  is_bot: z.boolean().default(false),
  first_name: z.string().optional(),
  last_name: z.string().optional(),
  username: z.string().optional(),
  language_code: z.string().optional(),
});
const Entities = z.array(
  z.object({
    type: z.string(),
    offset: z.int().nonnegative(),
    length: z.int().nonnegative(),
    user: z.object({ id: z.int() }).optional(),
  }),
);
const Message = z.object({
  message_id: z.int(),
  date: z.int().nonnegative().optional(),
  from: Sender.optional(),
  chat: z.object({ id: z.int(), type: z.enum(["private", "group", "supergroup", "channel"]) }),
  message_thread_id: z.int().optional(),
  is_topic_message: z.boolean().optional(),
  reply_to_message: z.object({ from: z.object({ id: z.int() }).optional() }).optional(),
  text: z.string().optional(),
  entities: Entities.optional(),
  caption: z.string().optional(),
  caption_entities: Entities.optional(),
});
type Message = z.infer<typeof Message>;
const Stopped = z.object({
  chat: Sender.omit({ is_bot: true }).extend({ type: z.literal("private") }),
  message_thread_id: z.int().optional(),
});
/** Somebody has pressed a button of ours: https://core.telegram.org/bots/api#callbackquery. */
const Pressed = z.object({
  id: z.string().min(1),
  from: Sender,
  message: Message.pick({
    message_id: true,
    chat: true,
    message_thread_id: true,
    is_topic_message: true,
  }),
  data: z.string(),
});
const Update = z.object({
  update_id: z.int().nonnegative(),
  message: z.unknown().optional(),
  callback_query: z.unknown().optional(),
  [STOPPED]: z.unknown().optional(),
});

/** What Telegram calls the things that can be sent, and what we call them. */
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
 * An update as an event; undefined if it is none of ours: an edit, a service message, another bot's, or talk
 * in a group that does not address us. Throws a `ZodError` on what does not look like an update.
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
  if (text === undefined || (!hasWords(message) && attachments.length === 0)) return undefined;
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

/** The command on the button, as if it had been written; undefined where there is none, or nowhere to answer. */
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

/** The id of a press that waits for being answered: until then the button looks as if it were at work. */
export function pressIn(raw: unknown): string | undefined {
  return Pressed.safeParse(Update.safeParse(raw).data?.callback_query).data?.id;
}

/** What /stop does, but nobody has said anything; a private chat has the id of its person. */
function toStop({ chat, message_thread_id: thread }: z.infer<typeof Stopped>): Omit<ChatEvent, "id"> {
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

/** The update's number, if it has one: the next poll acknowledges up to the highest. */
export function updateId(raw: unknown): number | undefined {
  return Update.safeParse(raw).data?.update_id;
}

/** What is said to us; undefined if it is not meant for us. */
function addressed(message: Message, bot: Bot): string | undefined {
  const said = message.text ?? message.caption ?? "";
  const rest = message.chat.type === "private" ? said : addressedInGroup(message, said, bot);
  if (rest === undefined) return undefined;
  const forAnotherBot = parseCommand(rest) && !parseCommand(rest, bot.username);
  return forAnotherBot ? undefined : rest;
}

function addressedInGroup(message: Message, said: string, bot: Bot): string | undefined {
  const entities = (message.text === undefined ? message.caption_entities : message.entities) ?? [];
  const mentions = entities.filter(
    ({ type, offset, length, user }) =>
      (type === "mention" &&
        said.slice(offset, offset + length).toLowerCase() === `@${bot.username.toLowerCase()}`) ||
      (type === "text_mention" && user?.id === bot.id),
  );
  const forUs =
    mentions.length > 0 || message.reply_to_message?.from?.id === bot.id || parseCommand(said, bot.username);
  return forUs ? without(said, mentions) : undefined;
}

/** The text without our name, and without what stands between the name and the words. */
function without(said: string, mentions: z.infer<typeof Entities>): string {
  if (mentions.length === 0) return said;
  return mentions
    .toSorted((a, b) => b.offset - a.offset)
    .reduce(
      (text, { offset, length }) => text.slice(0, offset) + text.slice(offset + length).replace(/^\s/, ""),
      said,
    )
    .replace(/^[\s,:，：]+/, "")
    .trimEnd();
}

function hasWords(message: Message): boolean {
  return Boolean((message.text ?? message.caption)?.trim());
}

function attachmentsOf(message: unknown): Attachment[] {
  if (typeof message !== "object" || message === null) return [];
  const kinds = Object.keys(message).flatMap((key) =>
    Object.hasOwn(ATTACHMENTS, key) ? [ATTACHMENTS[key]] : [],
  );
  // An animation comes as a document too, for clients that do not know it.
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

/** Where to answer, and what. */
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

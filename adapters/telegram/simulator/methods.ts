import { z } from "zod";
import type { Chats, Person, SimulatedChat, SimulatedMessage } from "./chats.ts";
import { type Feed, readHook } from "./feed.ts";
import { readButtons, type SimulatedButton } from "./buttons.ts";
import { Commands, keyOf, type Menus } from "./menus.ts";
import { badRequest } from "./refusal.ts";
import { readBlocksAloud, type SimulatedRich } from "./rich/rich.ts";
import { readRichMessage } from "./rich/blocks.ts";
import { readText, type SimulatedText } from "./text.ts";

/** The fields of a request. */
export type Fields = Readonly<Record<string, unknown>>;

/** One method of the Bot API; the signal aborts when the client has gone. */
export type Method = (fields: Fields, signal: AbortSignal) => unknown;

/** The bot as getMe tells it. */
export interface SimulatedBot {
  readonly id: number;
  readonly username: string;
}

export interface MethodsOptions {
  readonly bot: SimulatedBot;
  readonly chats: Chats;
  readonly feed: Feed;
  /** Whether rich messages are known (Bot API 10.1). */
  readonly rich: boolean;
  /** Throws if there is too much writing. */
  readonly flood: (chat: SimulatedChat) => void;
  /** The ids of presses that wait for being answered. */
  readonly presses: Set<string>;
  /** The menus of commands, filled here. */
  readonly menus: Menus;
}

/** sendChatAction lasts 5 s or until a message comes: https://core.telegram.org/bots/api#sendchataction. */
const TYPING_MS = 5000;

const SAME_MESSAGE =
  "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message";

const Reply = z.object({
  message_id: z.coerce.number(),
  allow_sending_without_reply: z.boolean().optional(),
});
const Kinds = z.array(z.string()).optional().catch(undefined);

/** The methods by their names in lower case: the Bot API does not mind the case. */
export function createMethods(options: MethodsOptions): ReadonlyMap<string, Method> {
  const methods: Record<string, Method> = {
    getMe: () => ({
      ...toBot(options.bot),
      can_join_groups: true,
      can_read_all_group_messages: true,
      supports_inline_queries: false,
    }),
    ...updateMethods(options),
    ...messageMethods(options),
    ...commandMethods(options.menus),
  };
  return new Map(Object.entries(methods).map(([name, method]) => [name.toLowerCase(), method]));
}

function updateMethods({ feed }: MethodsOptions): Record<string, Method> {
  const setWebhook: Method = ({ url, secret_token, allowed_updates }) => {
    feed.setWebhook(readHook(url, secret_token));
    feed.want(Kinds.parse(allowed_updates));
    return true;
  };
  return {
    getUpdates: ({ offset, limit, timeout, allowed_updates }, signal) => {
      feed.want(Kinds.parse(allowed_updates));
      return feed.poll({
        offset: Number(offset ?? 0),
        limit: Number(limit ?? 100),
        timeout: Number(timeout ?? 0),
        signal,
      });
    },
    setWebhook,
    deleteWebhook: (_, signal) => setWebhook({}, signal),
    getWebhookInfo: () => feed.webhookInfo(),
  };
}

function messageMethods({ bot, chats, flood, rich, presses }: MethodsOptions): Record<string, Method> {
  const send = (fields: Fields, read: (fields: Fields) => Content) => {
    const chat = chats.writable(fields["chat_id"]);
    const content = { ...read(fields), buttons: readButtons(fields["reply_markup"]) };
    const replyTo = readReply(chat, fields["reply_parameters"]);
    flood(chat);
    const thread = fields["message_thread_id"];
    const place = {
      ...(thread !== undefined && { thread: Number(thread) }),
      ...(replyTo !== undefined && { replyTo }),
    };
    return toMessage(chats.add(chat, { ...content, ...place }), chat, bot);
  };
  return {
    sendMessage: (fields) => send(fields, readText),
    ...(rich && { sendRichMessage: (fields: Fields) => send(fields, readRich) }),
    editMessageText: (fields) => {
      const chat = chats.writable(fields["chat_id"]);
      const message = find(chat, fields["message_id"]);
      const isRich = rich && fields["rich_message"] !== undefined;
      const content: Content = {
        ...(isRich ? readRich(fields) : readText(fields)),
        // An edit without buttons takes them away.
        buttons: readButtons(fields["reply_markup"]),
      };
      if (!message) throw badRequest("message to edit not found");
      if (message.sender) throw badRequest("message can't be edited");
      flood(chat);
      if (looksLike(content, message)) throw badRequest(SAME_MESSAGE);
      Object.assign(message, { rich: undefined, ...content, edits: message.edits + 1 });
      return toMessage(message, chat, bot);
    },
    deleteMessage: ({ chat_id, message_id }) => {
      const chat = chats.writable(chat_id);
      const message = find(chat, message_id);
      if (!message) throw badRequest("message to delete not found");
      chat.messages.splice(chat.messages.indexOf(message), 1);
      return true;
    },
    answerCallbackQuery: ({ callback_query_id: id }) => {
      if (!presses.delete(String(id))) {
        throw badRequest("query is too old and response timeout expired or query ID is invalid");
      }
      return true;
    },
    sendChatAction: ({ chat_id, action }) => {
      const chat = chats.writable(chat_id);
      if (action !== "typing") throw badRequest("wrong parameter action in request");
      chat.typingUntil = Date.now() + TYPING_MS;
      return true;
    },
  };
}

/** What a message shows. */
type Content = SimulatedText & {
  readonly rich?: SimulatedRich | undefined;
  readonly buttons?: readonly SimulatedButton[] | undefined;
};

function readRich(fields: Fields): Content {
  const rich = readRichMessage(fields["rich_message"]);
  return { text: readBlocksAloud(rich.blocks), entities: [], rich };
}

function looksLike(a: Content, b: Content): boolean {
  const look = ({ text, entities, rich, buttons = [] }: Content) =>
    JSON.stringify([text, entities, rich, buttons]);
  return look(a) === look(b);
}

function find(chat: SimulatedChat, id: unknown): SimulatedMessage | undefined {
  return chat.messages.find((message) => message.id === Number(id));
}

function readReply(chat: SimulatedChat, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const reply = Reply.safeParse(value).data;
  if (!reply) throw badRequest("can't parse reply parameters");
  if (find(chat, reply.message_id)) return reply.message_id;
  if (reply.allow_sending_without_reply) return undefined;
  throw badRequest("message to be replied not found");
}

function commandMethods(lists: Menus): Record<string, Method> {
  return {
    setMyCommands: ({ commands, scope, language_code }) => {
      const list = Commands.safeParse(commands).data;
      if (!list) throw badRequest("can't parse commands");
      for (const { command, description } of list) {
        if (!/^[a-z0-9_]{1,32}$/.test(command)) throw badRequest("BOT_COMMAND_INVALID");
        if (!/^.{1,256}$/su.test(description)) throw badRequest("BOT_COMMAND_DESCRIPTION_INVALID");
      }
      lists.set(keyOf(scope, language_code), list);
      return true;
    },
    getMyCommands: ({ scope, language_code }) => lists.get(keyOf(scope, language_code)) ?? [],
  };
}

/** A message as the Bot API writes it. */
export function toMessage(message: SimulatedMessage, chat: SimulatedChat, bot: SimulatedBot): object {
  const { id, sender, date, text, entities, rich, thread, replyTo, edits } = message;
  const quoted = replyTo === undefined ? undefined : find(chat, replyTo);
  return {
    message_id: id,
    from: sender ? toUser(sender) : toBot(bot),
    chat: toChat(chat),
    date,
    ...(edits > 0 && { edit_date: Math.floor(Date.now() / 1000) }),
    ...(thread !== undefined && { message_thread_id: thread, is_topic_message: true }),
    // Of a quoted message the Bot API does not tell what that one quotes.
    ...(quoted && { reply_to_message: toMessage(withoutReply(quoted), chat, bot) }),
    ...(rich ? { rich_message: rich } : { text, ...(entities.length > 0 && { entities }) }),
  };
}

function withoutReply(message: SimulatedMessage): SimulatedMessage {
  const { replyTo, ...rest } = message;
  return replyTo === undefined ? message : rest;
}

function toUser({ id, name, locale }: Person): object {
  return { id, is_bot: false, first_name: name, language_code: locale };
}

function toBot({ id, username }: SimulatedBot): object {
  return { id, is_bot: true, first_name: username, username };
}

function toChat({ id, type, name }: SimulatedChat): object {
  return type === "private" ? { id, type, first_name: name } : { id, type, title: name };
}

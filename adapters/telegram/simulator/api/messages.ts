import { z } from "zod";
import { readButtons, type SimulatedButton } from "../buttons.ts";
import type { SimulatedChat } from "../chat.ts";
import { badRequest } from "../refusal.ts";
import { readRichMessage } from "../rich/blocks.ts";
import { plainBlocks, type SimulatedRich } from "../rich/rich.ts";
import { readText, type SimulatedText } from "../text.ts";
import type { Fields, Method, MethodsOptions } from "./method.ts";
import { findMessage, writeMessage } from "./write.ts";

/** How long sendChatAction lasts, in ms, unless a message arrives: https://core.telegram.org/bots/api#sendchataction. */
const TYPING_MS = 5000;

const SAME_MESSAGE =
  "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message";

type Options = Pick<MethodsOptions, "bot" | "chats" | "flood" | "rich">;

/** Creates the methods that send, edit and delete messages. */
export function messageMethods({ bot, chats, flood, rich }: Options): Record<string, Method> {
  const send = (fields: Fields, read: (fields: Fields) => Content) => {
    const chat = chats.writable(fields["chat_id"]);
    const content = { ...read(fields), buttons: readButtons(fields["reply_markup"]) };
    const replyTo = readReply(chat, fields["reply_parameters"]);
    flood(chat);
    const thread = fields["message_thread_id"];
    const position = {
      ...(thread !== undefined && { thread: Number(thread) }),
      ...(replyTo !== undefined && { replyTo }),
    };
    return writeMessage(chats.add(chat, { ...content, ...position }), chat, bot);
  };
  return {
    sendMessage: (fields) => send(fields, readText),
    ...(rich && { sendRichMessage: (fields: Fields) => send(fields, readRich) }),
    editMessageText: (fields) => {
      const chat = chats.writable(fields["chat_id"]);
      const message = findMessage(chat, fields["message_id"]);
      const isRich = rich && fields["rich_message"] !== undefined;
      const content: Content = {
        ...(isRich ? readRich(fields) : readText(fields)),
        // An edit without buttons removes them.
        buttons: readButtons(fields["reply_markup"]),
      };
      if (!message) throw badRequest("message to edit not found");
      if (message.sender) throw badRequest("message can't be edited");
      flood(chat);
      if (looksLike(content, message)) throw badRequest(SAME_MESSAGE);
      Object.assign(message, { rich: undefined, ...content, edits: message.edits + 1 });
      return writeMessage(message, chat, bot);
    },
    deleteMessage: ({ chat_id, message_id }) => {
      const chat = chats.writable(chat_id);
      const message = findMessage(chat, message_id);
      if (!message) throw badRequest("message to delete not found");
      chat.messages.splice(chat.messages.indexOf(message), 1);
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

/** The visible content of a message. */
type Content = SimulatedText & {
  readonly rich?: SimulatedRich | undefined;
  readonly buttons?: readonly SimulatedButton[] | undefined;
};

function readRich(fields: Fields): Content {
  const rich = readRichMessage(fields["rich_message"]);
  return { text: plainBlocks(rich.blocks), entities: [], rich };
}

function looksLike(a: Content, b: Content): boolean {
  const look = ({ text, entities, rich, buttons = [] }: Content) =>
    JSON.stringify([text, entities, rich, buttons]);
  return look(a) === look(b);
}

const Reply = z.object({
  message_id: z.coerce.number(),
  allow_sending_without_reply: z.boolean().optional(),
});

function readReply(chat: SimulatedChat, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const reply = Reply.safeParse(value).data;
  if (!reply) throw badRequest("can't parse reply parameters");
  if (findMessage(chat, reply.message_id)) return reply.message_id;
  if (reply.allow_sending_without_reply) return undefined;
  throw badRequest("message to be replied not found");
}

import { z } from "zod";
import type { Adapter } from "../../src/adapter.ts";
import { PlatformError } from "../../src/errors.ts";
import type { Address } from "../../src/event.ts";
import type { Call } from "./api.ts";
import type { TelegramBody } from "./dialect.ts";
import { nonsense, TelegramRefusal } from "./errors.ts";
import type { Log } from "./log.ts";
import { telegramPayload } from "./payload.ts";

/** The half of the adapter that talks. */
export type Messages = Required<
  Pick<Adapter<TelegramBody>, "send" | "recover" | "edit" | "remove" | "typing">
>;

/** The addresses that events carry. */
const To = z.object({
  chat: z.int(),
  question: z.int().optional(),
  thread: z.int().optional(),
});
type To = z.infer<typeof To>;
const Sent = z.object({ message_id: z.int() });

/** No message has this id: they count up from 1 (the largest that the Bot API takes). */
const NO_MESSAGE = 2 ** 31 - 1;

/** The ids of a bot's private chats are one sequence: so many messages are looked at, those of others among them. */
const SEARCH = 64;

/** Telegram does not accept the formatting, though it may accept the words. */
const FORMATTING = /entit(y|ies)|\burl\b|parse/i;

/** Sends, edits and removes messages; formatting is always entities, never `parse_mode`. */
export function createMessages(call: Call, log: Log): Messages {
  return {
    send: async (to, body) => {
      const { chat, thread, question } = read(to);
      const sent = await write("sendMessage", body, {
        chat_id: chat,
        ...(thread !== undefined && { message_thread_id: thread }),
        // In a group others talk in between: there the answer quotes the question.
        ...(isGroup(chat) &&
          question !== undefined && {
            reply_parameters: { message_id: question, allow_sending_without_reply: true },
          }),
      });
      const message = Sent.safeParse(sent).data;
      if (!message) throw nonsense("sendMessage");
      return String(message.message_id);
    },
    recover: async (to, body, after) => {
      const { chat, question } = read(to);
      // In a group what is newer may answer somebody else.
      if (isGroup(chat) || question === undefined) return undefined;
      // A server that lets us edit what cannot exist would make us believe anything.
      if (await edited(chat, NO_MESSAGE, body)) return undefined;
      const first = Math.max(question, Number(after ?? 0)) + 1;
      for (let id = first; id < first + SEARCH; id += 1) {
        if (await edited(chat, id, body)) return String(id);
      }
      return undefined;
    },
    edit: async (to, ref, body) => {
      const where = { chat_id: read(to).chat, message_id: Number(ref) };
      await write("editMessageText", body, where).catch(unless(/message is not modified/i));
    },
    remove: async (to, ref) => {
      const where = { chat_id: read(to).chat, message_id: Number(ref) };
      await callChat("deleteMessage", where).catch(unless(/message to delete not found|MESSAGE_ID_INVALID/i));
    },
    typing: async (to) => {
      const { chat, thread } = read(to);
      const topic = thread !== undefined && { message_thread_id: thread };
      await callChat("sendChatAction", { chat_id: chat, action: "typing", ...topic });
    },
  };

  /** Whether the message is ours: only then it can be edited. */
  async function edited(chat: number, id: number, body: TelegramBody): Promise<boolean> {
    try {
      await write("editMessageText", body, { chat_id: chat, message_id: id });
      return true;
    } catch (error) {
      if (!(error instanceof TelegramRefusal) || error.status !== 400) throw error;
      return /message is not modified/i.test(error.description);
    }
  }

  /** Words without their formatting are better than no words. */
  async function write(method: string, body: TelegramBody, where: Where): Promise<unknown> {
    const plain = { ...where, ...telegramPayload({ ...body, entities: [] }) };
    if (body.entities.length === 0) return callChat(method, plain);
    try {
      return await callChat(method, { ...where, ...telegramPayload(body) });
    } catch (error) {
      if (!(error instanceof TelegramRefusal) || error.status !== 400) throw error;
      if (!FORMATTING.test(error.description)) throw error;
      log.warn({ code: error.code }, `a message goes out without its formatting: ${error.message}`);
      return callChat(method, plain);
    }
  }

  /** A group that became a supergroup is another chat from then on. */
  async function callChat(method: string, fields: Where): Promise<unknown> {
    try {
      return await call(method, fields);
    } catch (error) {
      if (!(error instanceof TelegramRefusal) || error.movedTo === undefined) throw error;
      return call(method, { ...fields, chat_id: error.movedTo });
    }
  }
}

type Where = { readonly chat_id: number; readonly [field: string]: unknown };

/** Groups have negative ids. */
function isGroup(chat: number): boolean {
  return chat < 0;
}

function read(to: Address): To {
  const address = To.safeParse(to).data;
  if (address) return address;
  throw new PlatformError("telegram_address", "this is no Telegram address: it needs a chat id", {
    permanent: true,
  });
}

/** Lets a refusal pass that says what was wanted anyway. */
function unless(harmless: RegExp): (error: unknown) => void {
  return (error) => {
    if (error instanceof TelegramRefusal && error.status === 400 && harmless.test(error.description)) return;
    throw error;
  };
}

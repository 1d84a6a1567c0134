import { z } from "zod";
import type { Adapter } from "../../src/adapter.ts";
import { isGroup, readAddress } from "./address.ts";
import type { Call } from "./api.ts";
import type { TelegramBody } from "./dialect.ts";
import { nonsense, TelegramRefusal } from "./errors.ts";
import type { Write } from "./write.ts";

/** The half of the adapter that talks. */
export type Messages = Required<
  Pick<Adapter<TelegramBody>, "send" | "recover" | "edit" | "remove" | "typing">
>;

const Sent = z.object({ message_id: z.int() });

/** No message has this id: they count up from 1 (the largest that the Bot API takes). */
const NO_MESSAGE = 2 ** 31 - 1;

/** The ids of a bot's private chats are one sequence: so many messages are looked at, those of others among them. */
const SEARCH = 64;

/** Sends, edits and removes messages. */
export function createMessages(callChat: Call, write: Write): Messages {
  return {
    send: async (to, body) => {
      const { chat, thread, question } = readAddress(to);
      const sent = await write("send", body, {
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
      const { chat, question } = readAddress(to);
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
      const where = { chat_id: readAddress(to).chat, message_id: Number(ref) };
      await write("edit", body, where).catch(unless(/message is not modified/i));
    },
    remove: async (to, ref) => {
      const where = { chat_id: readAddress(to).chat, message_id: Number(ref) };
      await callChat("deleteMessage", where).catch(unless(/message to delete not found|MESSAGE_ID_INVALID/i));
    },
    typing: async (to) => {
      const { chat, thread } = readAddress(to);
      const topic = thread !== undefined && { message_thread_id: thread };
      await callChat("sendChatAction", { chat_id: chat, action: "typing", ...topic });
    },
  };

  /** Whether the message is ours: only then it can be edited. */
  async function edited(chat: number, id: number, body: TelegramBody): Promise<boolean> {
    try {
      await write("edit", body, { chat_id: chat, message_id: id });
      return true;
    } catch (error) {
      if (!(error instanceof TelegramRefusal) || error.status !== 400) throw error;
      return /message is not modified/i.test(error.description);
    }
  }
}

/** Lets a refusal pass that says what was wanted anyway. */
function unless(harmless: RegExp): (error: unknown) => void {
  return (error) => {
    if (error instanceof TelegramRefusal && error.status === 400 && harmless.test(error.description)) return;
    throw error;
  };
}

import { z } from "zod";
import type { Adapter, HighWaterMark } from "../../../src/adapter.ts";
import { PlatformError } from "../../../src/errors.ts";
import type { Address } from "../../../src/event.ts";
import { isGroup, readAddress } from "./address.ts";
import type { Call } from "../api.ts";
import type { TelegramBody } from "../dialect/dialect.ts";
import { nonsense, TelegramRefusal } from "../errors.ts";
import type { Write } from "./write.ts";

/** The half of the adapter that talks. */
export type Messages = Required<
  Pick<Adapter<TelegramBody>, "send" | "recovery" | "edit" | "remove" | "typing">
>;

interface Notes {
  /** A message was seen in this chat. */
  readonly note: (chat: number, id: number) => void;
  readonly highWaterMark: HighWaterMark;
}

const Sent = z.object({ message_id: z.int(), chat: z.object({ id: z.int() }).optional() });

/** No message has this id: they count up from 1 (the largest that the Bot API takes). */
const NO_MESSAGE = 2 ** 31 - 1;

/**
 * The ids of a bot's private chats are one sequence: so many messages are looked at, those of others among them. As
 * the search begins at what was the newest of all when the message was sent, few can stand in between.
 */
const SEARCH = 128;

/** Sends, edits and removes messages. */
export function createMessages(callChat: Call, write: Write): Messages & Notes {
  /** The newest message in any private chat, as far as it was seen from here; 0 if none was. */
  let newest = 0;

  return {
    note,
    highWaterMark: {
      get: () => (newest === 0 ? undefined : String(newest)),
      raise: (mark) => {
        if (Number.isSafeInteger(Number(mark))) newest = Math.max(newest, Number(mark));
      },
    },
    recovery: {
      newest: (to) => (newest === 0 || isGroup(readAddress(to).chat) ? undefined : String(newest)),
      find: async (to, body, after) => {
        const { chat, question } = readAddress(to);
        // In a group what is newer may answer somebody else.
        if (isGroup(chat) || question === undefined) return undefined;
        // A server that lets us edit what cannot exist would make us believe anything.
        if (await edited(chat, NO_MESSAGE, body)) return undefined;
        const first = Math.max(question, ...after.map((ref) => readRef(ref, chat).id)) + 1;
        for (let id = first; id < first + SEARCH; id += 1) {
          if (await edited(chat, id, body)) return String(id);
        }
        return undefined;
      },
    },
    send: async (to, body) => {
      const { chat, thread, question } = readAddress(to);
      if (question !== undefined) note(chat, question);
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
      note(chat, message.message_id);
      return refOf({ id: message.message_id, chat: message.chat?.id ?? chat }, chat);
    },
    edit: async (to, ref, body) => {
      await write("edit", body, placeOf(to, ref)).catch(unless(/message is not modified/i));
    },
    remove: async (to, ref) => {
      await callChat("deleteMessage", placeOf(to, ref)).catch(unlessGone);
    },
    typing: async (to) => {
      const { chat, thread } = readAddress(to);
      const topic = thread !== undefined && { message_thread_id: thread };
      await callChat("sendChatAction", { chat_id: chat, action: "typing", ...topic });
    },
  };

  function note(chat: number, id: number): void {
    if (!isGroup(chat)) newest = Math.max(newest, id);
  }

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

/** A message, and the chat that it stands in: not the one asked in, once a group has become a supergroup. */
interface Place {
  readonly id: number;
  readonly chat: number;
}

function refOf({ id, chat }: Place, asked: number): string {
  return chat === asked ? String(id) : `${chat}/${id}`;
}

function readRef(ref: string, asked: number): Place {
  const [id = ref, chat = asked] = ref.split("/").reverse();
  return { id: Number(id), chat: Number(chat) };
}

function placeOf(to: Address, ref: string): { chat_id: number; message_id: number } {
  const { id, chat } = readRef(ref, readAddress(to).chat);
  return { chat_id: chat, message_id: id };
}

function unlessGone(error: unknown): void {
  if (!(error instanceof PlatformError) || !error.gone) throw error;
}

/** Lets a refusal pass that says what was wanted anyway. */
function unless(harmless: RegExp): (error: unknown) => void {
  return (error) => {
    if (error instanceof TelegramRefusal && error.status === 400 && harmless.test(error.description)) return;
    throw error;
  };
}

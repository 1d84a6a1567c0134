import { z } from "zod";
import type { Adapter, HighWaterMark } from "../../../src/adapter.ts";
import { PlatformError } from "../../../src/errors.ts";
import type { Address } from "../../../src/event.ts";
import { isGroup, readAddress } from "./address.ts";
import type { Call } from "../api.ts";
import type { TelegramBody } from "../dialect/dialect.ts";
import { malformedAnswer, TelegramRefusal } from "../errors.ts";
import type { Write } from "./write.ts";

/** The members of the adapter that send, edit and remove messages. */
export type Messages = Required<
  Pick<Adapter<TelegramBody>, "send" | "recovery" | "edit" | "remove" | "typing">
>;

interface Seen {
  /** Records that a message with this id was seen in the chat. */
  readonly noteSeen: (chat: number, id: number) => void;
  readonly highWaterMark: HighWaterMark;
}

const Sent = z.object({ message_id: z.int(), chat: z.object({ id: z.int() }).optional() });

/** An id that no message has: ids count up from 1, and this is the largest that the Bot API accepts. */
const NO_MESSAGE = 2 ** 31 - 1;

/**
 * How many ids a search for a lost message tries. All private chats of a bot share one sequence of ids, so messages of
 * other chats are among them. Few are: the search begins at the newest id that was known when the message was sent.
 */
const SEARCH = 128;

/** Creates the members of the adapter that send, edit and remove messages. */
export function createMessages(callChat: Call, write: Write): Messages & Seen {
  /** The newest message id that this process has seen in any private chat; 0 if it has seen none. */
  let newest = 0;

  return {
    noteSeen,
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
        // In a group, a newer message may be the answer to another user.
        if (isGroup(chat) || question === undefined) return undefined;
        // If the server accepts an edit of a message that cannot exist, its answers prove nothing.
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
      if (question !== undefined) noteSeen(chat, question);
      const sent = await write("send", body, {
        chat_id: chat,
        ...(thread !== undefined && { message_thread_id: thread }),
        // In a group, other messages may come in between, so the answer quotes the question.
        ...(isGroup(chat) &&
          question !== undefined && {
            reply_parameters: { message_id: question, allow_sending_without_reply: true },
          }),
      });
      const message = Sent.safeParse(sent).data;
      if (!message) throw malformedAnswer("sendMessage");
      noteSeen(chat, message.message_id);
      return refOf({ id: message.message_id, chat: message.chat?.id ?? chat }, chat);
    },
    edit: async (to, ref, body) => {
      await write("edit", body, targetOf(to, ref)).catch(ignoreNotModified);
    },
    remove: async (to, ref) => {
      await callChat("deleteMessage", targetOf(to, ref)).catch(ignoreGone);
    },
    typing: async (to) => {
      const { chat, thread } = readAddress(to);
      const topic = thread !== undefined && { message_thread_id: thread };
      await callChat("sendChatAction", { chat_id: chat, action: "typing", ...topic });
    },
  };

  function noteSeen(chat: number, id: number): void {
    if (!isGroup(chat)) newest = Math.max(newest, id);
  }

  /** Edits the message; false if it is not the bot's own and so cannot be edited. */
  async function edited(chat: number, id: number, body: TelegramBody): Promise<boolean> {
    try {
      await write("edit", body, { chat_id: chat, message_id: id });
      return true;
    } catch (error) {
      if (!(error instanceof TelegramRefusal) || error.status !== 400) throw error;
      return NOT_MODIFIED.test(error.description);
    }
  }
}

/** The refusal of an edit that would change nothing. */
const NOT_MODIFIED = /message is not modified/i;

/** A sent message and its chat, which differs from the chat of the address once a group has become a supergroup. */
interface SentMessage {
  readonly id: number;
  readonly chat: number;
}

/** A reference to the message: its id, preceded by its chat if that is not `addressed`. */
function refOf({ id, chat }: SentMessage, addressed: number): string {
  return chat === addressed ? String(id) : `${chat}/${id}`;
}

function readRef(ref: string, addressed: number): SentMessage {
  const [id = ref, chat = addressed] = ref.split("/").reverse();
  return { id: Number(id), chat: Number(chat) };
}

function targetOf(to: Address, ref: string): { chat_id: number; message_id: number } {
  const { id, chat } = readRef(ref, readAddress(to).chat);
  return { chat_id: chat, message_id: id };
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof PlatformError) || !error.gone) throw error;
}

function ignoreNotModified(error: unknown): void {
  if (error instanceof TelegramRefusal && error.status === 400 && NOT_MODIFIED.test(error.description))
    return;
  throw error;
}

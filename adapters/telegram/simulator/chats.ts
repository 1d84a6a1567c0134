import { createHash } from "node:crypto";
import type { SimulatedButton } from "./buttons.ts";
import type { SimulatedDraft } from "./drafts.ts";
import type { SimulatedEntity } from "./entities.ts";
import { badRequest, Refusal } from "./refusal.ts";
import type { SimulatedRich } from "./rich/rich.ts";
import type { SimulatedText } from "./text.ts";

/** Someone who has a Telegram account. */
export interface Person {
  readonly id: number;
  readonly name: string;
  /** The language of their app. */
  locale: string;
  /** Has blocked the bot. */
  blocked: boolean;
}

/** A chat and all that was said in it. */
export interface SimulatedChat {
  readonly id: number;
  readonly type: "private" | "group" | "supergroup";
  readonly name: string;
  readonly person?: Person;
  /** The supergroup that this group has become. */
  movedTo?: number;
  /** The group that this supergroup was; its messages are still to be seen, and no more. */
  before?: SimulatedChat;
  readonly messages: SimulatedMessage[];
  /** Until when the bot is shown to be typing, in ms since the epoch. */
  typingUntil: number;
  /** What the bot is writing there; it may be over already. */
  draft?: SimulatedDraft | undefined;
}

/** A message as it stands on the screen. */
export interface SimulatedMessage {
  readonly id: number;
  /** The bot, if nobody else. */
  readonly sender?: Person;
  readonly date: number;
  readonly thread?: number;
  readonly replyTo?: number;
  text: string;
  entities: readonly SimulatedEntity[];
  /** What a rich message shows; `text` is how that reads. */
  rich?: SimulatedRich | undefined;
  /** What the bot lets people choose below it. */
  buttons?: readonly SimulatedButton[] | undefined;
  edits: number;
}

/** All people and chats by name and by id. */
export interface Chats {
  person(name: string): Person;
  /** The private chat of this person, or the group of this name, made when first asked for. */
  named(name: string, kind?: "group"): SimulatedChat;
  /** The chat that a request is about, if the bot may write there. */
  writable(id: unknown): SimulatedChat;
  /** The group goes on as a supergroup. */
  migrate(name: string): { from: SimulatedChat; to: SimulatedChat };
  add(
    chat: SimulatedChat,
    message: SimulatedText & Pick<SimulatedMessage, "sender" | "thread" | "replyTo" | "rich" | "buttons">,
  ): SimulatedMessage;
}

/** Ids of people and supergroups have long gone beyond 32 bits. */
const FIRST_PERSON = 5_000_000_000;
const FIRST_SUPERGROUP = -1_002_000_000_000;

/** Chats that begin empty; the ids come from the names, so that they are the same in every run. `keep`: messages in each. */
export function createChats(keep: number): Chats {
  const people = new Map<string, Person>();
  const chats = new Map<number, SimulatedChat>();
  const groups = new Map<string, number>();
  let lastMessage = 0;

  return {
    person,
    named: (name, kind) => {
      const group = groups.get(name);
      if (group !== undefined) return open({ id: group, type: "group", name });
      if (kind === "group") return openGroup(name, { id: -1_000_000_000 - hash(name), type: "group" });
      const owner = person(name);
      return open({ id: owner.id, type: "private", name, person: owner });
    },
    writable: (id) => {
      if (id === undefined || id === "") throw badRequest("chat_id is empty");
      const chat = chats.get(Number(id));
      if (!chat) throw badRequest("chat not found");
      if (chat.person?.blocked) throw new Refusal(403, "Forbidden: bot was blocked by the user");
      if (chat.movedTo === undefined) return chat;
      throw badRequest("group chat was upgraded to a supergroup chat", { migrate_to_chat_id: chat.movedTo });
    },
    migrate: (name) => {
      const from = open({ id: groups.get(name) ?? 0, type: "group", name });
      const to = openGroup(name, { id: FIRST_SUPERGROUP - hash(name), type: "supergroup" });
      from.movedTo = to.id;
      to.before = from;
      return { from, to };
    },
    add: (chat, { text, entities, sender, thread, replyTo, rich, buttons }) => {
      lastMessage += 1;
      const message: SimulatedMessage = {
        id: lastMessage,
        date: Math.floor(Date.now() / 1000),
        text,
        entities,
        edits: 0,
        ...(sender && { sender }),
        ...(thread !== undefined && { thread }),
        ...(replyTo !== undefined && { replyTo }),
        ...(rich && { rich }),
        ...(buttons && { buttons }),
      };
      chat.messages.push(message);
      chat.messages.splice(0, Math.max(0, chat.messages.length - keep));
      chat.draft = undefined;
      if (!sender) chat.typingUntil = 0;
      return message;
    },
  };

  function person(name: string): Person {
    const known = people.get(name) ?? { id: FIRST_PERSON + hash(name), name, locale: "en", blocked: false };
    people.set(name, known);
    return known;
  }

  function openGroup(name: string, chat: Pick<SimulatedChat, "id" | "type">): SimulatedChat {
    groups.set(name, chat.id);
    return open({ ...chat, name });
  }

  function open(chat: Pick<SimulatedChat, "id" | "type" | "name" | "person">): SimulatedChat {
    const known = chats.get(chat.id) ?? { ...chat, messages: [], typingUntil: 0 };
    chats.set(chat.id, known);
    return known;
  }
}

/** A number below 2^32, always the same for the same name. */
function hash(name: string): number {
  return createHash("sha1").update(name).digest().readUInt32BE();
}

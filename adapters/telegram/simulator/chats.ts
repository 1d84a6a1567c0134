import { createHash } from "node:crypto";
import type { Person, SimulatedChat, SimulatedMessage } from "./chat.ts";
import { badRequest, Refusal } from "./refusal.ts";
import type { SimulatedText } from "./text.ts";

/** All people and chats, by name and by id. */
export interface Chats {
  person(name: string): Person;
  /** The private chat of this person, or the group of this name; created when first requested. */
  named(name: string, kind?: "group"): SimulatedChat;
  /** The chat of a request; throws a `Refusal` if the bot may not write to it. */
  writable(id: unknown): SimulatedChat;
  /** Turns the group into a supergroup. */
  migrate(name: string): { from: SimulatedChat; to: SimulatedChat };
  /** Appends a message to the chat and removes its draft. */
  add(
    chat: SimulatedChat,
    message: SimulatedText & Pick<SimulatedMessage, "sender" | "thread" | "replyTo" | "rich" | "buttons">,
  ): SimulatedMessage;
}

/** The first ids of people and supergroups: like today's real ones, they exceed 32 bits. */
const FIRST_PERSON = 5_000_000_000;
const FIRST_SUPERGROUP = -1_002_000_000_000;

/**
 * Creates the chats, which begin empty. Ids are derived from names, so they are the same in every run. `keep` is the
 * number of messages that each chat remembers.
 */
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

/** A number below 2^32, derived from the name. */
function hash(name: string): number {
  return createHash("sha1").update(name).digest().readUInt32BE();
}

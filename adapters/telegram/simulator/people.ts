import { randomUUID } from "node:crypto";
import { type SimulatedBot, writeMessage, writePerson, writeServiceMessage } from "./api/write.ts";
import type { Chats } from "./chats.ts";
import type { SimulatedEntity } from "./entities.ts";
import { withRecognizedEntities } from "./recognized.ts";
import type { SimulatedRich } from "./rich/rich.ts";
import type { Feed } from "./updates/feed.ts";

/** How a person writes a message. */
export interface SayOptions {
  /** The name of the group to write to; the private chat if absent. */
  readonly chat?: string;
  /** The language of the person's app from now on, such as "zh-hans"; "en" at first. */
  readonly locale?: string;
  /** The id of the message to reply to. */
  readonly replyTo?: number;
  /** The topic to write in. */
  readonly thread?: number;
}

/** A message as a person sees it. */
export interface ShownMessage {
  /** A person's name, or "bot". */
  readonly from: string;
  readonly id: number;
  readonly text: string;
  readonly entities: readonly SimulatedEntity[];
  /** The content of a rich message; `text` is its plain text. */
  readonly rich?: SimulatedRich;
  /** The labels of the buttons below the message. */
  readonly buttons?: readonly string[];
  /** How many times the message was edited. */
  readonly edits: number;
}

/** What people do in the simulated Telegram, and what they see. */
export interface People {
  /** Writes to the bot or in a group; returns the update's id. */
  say(user: string, text: string, options?: SayOptions): number;
  /** The messages in the person's private chat, or in the group of this name, from top to bottom. */
  screen(name: string): readonly ShownMessage[];
  /** The texts of the bot's messages there. */
  shows(name: string): readonly string[];
  /** Presses the bot's lowest button with this label; returns the update's id. */
  press(user: string, button: string, options?: { readonly chat?: string }): number;
  /** Forbids the bot to write to this person, or allows it again (`false`). */
  block(user: string, blocked?: boolean): void;
  /** Turns the group into a supergroup, which has another id. */
  migrate(group: string): void;
}

interface PeopleOptions {
  readonly bot: SimulatedBot;
  readonly chats: Chats;
  readonly feed: Feed;
  /** The ids of presses that have not been answered; `press` adds to it. */
  readonly presses: Set<string>;
}

/** Creates the people. What they do reaches the bot as updates in the feed. */
export function createPeople({ bot, chats, feed, presses }: PeopleOptions): People {
  return {
    say: (user, text, { chat: group, locale, replyTo, thread } = {}) => {
      const sender = chats.person(user);
      sender.locale = locale ?? sender.locale;
      const chat = group === undefined ? chats.named(user) : chats.named(group, "group");
      const message = chats.add(chat, {
        ...withRecognizedEntities(text),
        sender,
        ...(replyTo !== undefined && { replyTo }),
        ...(thread !== undefined && { thread }),
      });
      return feed.add({ message: writeMessage(message, chat, bot) });
    },
    screen,
    shows: (name) =>
      screen(name)
        .filter(({ from }) => from === "bot")
        .map(({ text }) => text),
    press: (user, label, { chat: group } = {}) => {
      const chat = chats.named(group ?? user);
      const buttons = chat.messages.flatMap((message) =>
        (message.buttons ?? []).map((button) => ({ message, button })),
      );
      const found = buttons.findLast(({ button }) => button.text === label);
      if (!found)
        throw new Error(
          `There is no button "${label}"; there are ${buttons.map(({ button }) => button.text).join(", ")}`,
        );
      const id = randomUUID();
      presses.add(id);
      return feed.add({
        callback_query: {
          id,
          from: writePerson(chats.person(user)),
          message: writeMessage(found.message, chat, bot),
          chat_instance: "1",
          data: found.button.data,
        },
      });
    },
    block: (user, blocked = true) => {
      chats.person(user).blocked = blocked;
    },
    migrate: (group) => {
      const { from, to } = chats.migrate(group);
      feed.add({ message: writeServiceMessage(from, { migrate_to_chat_id: to.id }) });
    },
  };

  function screen(name: string): ShownMessage[] {
    const chat = chats.named(name);
    return [...(chat.before?.messages ?? []), ...chat.messages].map(
      ({ sender, id, text, entities, rich, buttons, edits }) => ({
        from: sender?.name ?? "bot",
        id,
        text,
        entities,
        ...(rich && { rich }),
        ...(buttons?.length && { buttons: buttons.map((button) => button.text) }),
        edits,
      }),
    );
  }
}

import type { Person, SimulatedChat, SimulatedMessage } from "../chat.ts";

/** The bot, as returned by `getMe`. */
export interface SimulatedBot {
  readonly id: number;
  readonly username: string;
}

/** A message in the Bot API's format. */
export function writeMessage(message: SimulatedMessage, chat: SimulatedChat, bot: SimulatedBot): object {
  const { id, sender, date, text, entities, rich, thread, replyTo, edits } = message;
  const quoted = replyTo === undefined ? undefined : findMessage(chat, replyTo);
  return {
    message_id: id,
    from: sender ? writePerson(sender) : writeBot(bot),
    chat: writeChat(chat),
    date,
    ...(edits > 0 && { edit_date: Math.floor(Date.now() / 1000) }),
    ...(thread !== undefined && { message_thread_id: thread, is_topic_message: true }),
    // The Bot API leaves out what the quoted message itself quotes.
    ...(quoted && { reply_to_message: writeMessage(withoutReply(quoted), chat, bot) }),
    ...(rich ? { rich_message: rich } : { text, ...(entities.length > 0 && { entities }) }),
  };
}

/** A service message, such as the one about a supergroup, in the Bot API's format. */
export function writeServiceMessage(chat: SimulatedChat, fields: object): object {
  return { message_id: 0, date: Math.floor(Date.now() / 1000), chat: writeChat(chat), ...fields };
}

function withoutReply(message: SimulatedMessage): SimulatedMessage {
  const { replyTo, ...rest } = message;
  return replyTo === undefined ? message : rest;
}

export function findMessage(chat: SimulatedChat, id: unknown): SimulatedMessage | undefined {
  return chat.messages.find((message) => message.id === Number(id));
}

export function writePerson({ id, name, locale }: Person): object {
  return { id, is_bot: false, first_name: name, language_code: locale };
}

export function writeBot({ id, username }: SimulatedBot): object {
  return { id, is_bot: true, first_name: username, username };
}

export function writeChat({ id, type, name }: SimulatedChat): object {
  return type === "private" ? { id, type, first_name: name } : { id, type, title: name };
}

import { parseCommand } from "../../../src/event.ts";
import type { Bot, Entities, Message } from "./schemas.ts";

/** The text that a message addresses to the bot; undefined if it is meant for others. */
export function addressed(message: Message, bot: Bot): string | undefined {
  const text = message.text ?? message.caption ?? "";
  const rest = message.chat.type === "private" ? text : addressedInGroup(message, text, bot);
  if (rest === undefined) return undefined;
  const forAnotherBot = parseCommand(rest) && !parseCommand(rest, bot.username);
  return forAnotherBot ? undefined : rest;
}

/** In a group, a message addresses the bot by a mention, a reply or a command. */
function addressedInGroup(message: Message, text: string, bot: Bot): string | undefined {
  const entities = (message.text === undefined ? message.caption_entities : message.entities) ?? [];
  const mentions = entities.filter(
    ({ type, offset, length, user }) =>
      (type === "mention" &&
        text.slice(offset, offset + length).toLowerCase() === `@${bot.username.toLowerCase()}`) ||
      (type === "text_mention" && user?.id === bot.id),
  );
  const isForBot =
    mentions.length > 0 || message.reply_to_message?.from?.id === bot.id || parseCommand(text, bot.username);
  return isForBot ? without(text, mentions) : undefined;
}

/** The text without mentions of the bot, and without the punctuation between a leading mention and the text. */
function without(text: string, mentions: Entities): string {
  if (mentions.length === 0) return text;
  return mentions
    .toSorted((a, b) => b.offset - a.offset)
    .reduce(
      (rest, { offset, length }) => rest.slice(0, offset) + rest.slice(offset + length).replace(/^\s/, ""),
      text,
    )
    .replace(/^[\s,:，：]+/, "")
    .trimEnd();
}

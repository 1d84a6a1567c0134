import { MAX_TEXT } from "../event.ts";
import type { Handler } from "../handler.ts";
import { excerptOf } from "../i18n/excerpt.ts";

/** Tells a person that a message was longer than what is taken in. */
export const tellOfLength: Handler = (turn, next) => {
  const { tooLong, text, command } = turn.event;
  if (tooLong === undefined) return next();
  turn.log.warn({ characters: tooLong }, "a message was too long, and its author was told so");
  return turn.say("access.long", {
    text: excerptOf(command ? `/${command} ${text}` : text),
    length: tooLong,
    most: MAX_TEXT,
  });
};

import { MAX_TEXT } from "../event.ts";
import type { Handler } from "../handler.ts";
import { excerptOf } from "../i18n/excerpt.ts";

/** Tells the user that a message was too long. */
export const tellOfLength: Handler = (turn, next) => {
  const { tooLong, text, command } = turn.event;
  if (tooLong === undefined) return next();
  turn.log.warn({ characters: tooLong }, "did not answer a message that is too long");
  return turn.say("access.long", {
    text: excerptOf(command ? `/${command} ${text}` : text),
    length: tooLong,
    most: MAX_TEXT,
  });
};

import type { Handler } from "../handler.ts";
import { excerptOf } from "../i18n/excerpt.ts";

/** Tells the user that messages beyond the limit of the queue were not accepted. */
export const tellOfOverflow: Handler = (turn, next) => {
  if (!turn.event.overflow) return next();
  turn.log.warn("a user writes faster than the bot can answer; some messages were not accepted");
  const { command, text } = turn.event;
  return turn.say("access.full", { text: excerptOf(command ? `/${command} ${text}` : text) });
};

import type { Handler } from "../handler.ts";
import { excerptOf } from "../i18n/excerpt.ts";

/** Tells a person in its turn that what they said beyond the queue's bound was not taken in. */
export const tellOfOverflow: Handler = (turn, next) => {
  if (!turn.event.overflow) return next();
  turn.log.warn("someone writes faster than can be answered, and was not listened to for a while");
  const { command, text } = turn.event;
  return turn.say("access.full", { text: excerptOf(command ? `/${command} ${text}` : text) });
};

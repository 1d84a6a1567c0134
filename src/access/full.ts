import type { Handler, Turn } from "../handler.ts";

/** So many characters of a message are enough for its author to find it. */
const EXCERPT = 40;

/** Tells a person in its turn that what they said beyond the queue's bound was not taken in. */
export const tellOfOverflow: Handler = (turn, next) => {
  if (!turn.event.overflow) return next();
  turn.log.warn("someone writes faster than can be answered, and was not listened to for a while");
  return turn.say("access.full", { text: excerptOf(turn.event) });
};

/** The beginning as code, in which nothing has a meaning. */
function excerptOf({ command, text }: Turn["event"]): string {
  const line = `${command ? `/${command} ` : ""}${text}`.replace(/[\s`]+/g, " ").trim();
  const characters = Array.from(line);
  const excerpt = characters.slice(0, EXCERPT).join("");
  return `\`${excerpt}${characters.length > EXCERPT || !excerpt ? "…" : ""}\``;
}

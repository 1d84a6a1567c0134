import type { Command } from "../handler.ts";
import { inEveryLanguage } from "../i18n/texts.ts";

/** `/ask question`: the same as sending the question without a command. */
export const ask: Command = {
  name: "ask",
  description: inEveryLanguage("ask.description"),
  argument: inEveryLanguage("ask.argument"),
  run: (turn, next) => (turn.event.text.trim() ? next() : turn.say("ask.empty")),
};

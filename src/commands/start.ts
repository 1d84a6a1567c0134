import type { Command } from "../handler.ts";
import { inEveryLanguage } from "../i18n/texts.ts";

/** `/start`: what Telegram sends when someone opens the bot for the first time. */
export const start: Command = {
  name: "start",
  description: inEveryLanguage("start.description"),
  hidden: true,
  run: (turn) => turn.say("start"),
};

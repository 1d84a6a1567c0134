import type { Command } from "../handler.ts";
import { inEveryLanguage } from "../i18n/texts.ts";

/** `/start`: a greeting. Telegram sends this command when a user opens the bot for the first time. */
export const start: Command = {
  name: "start",
  description: inEveryLanguage("start.description"),
  hidden: true,
  run: (turn) => turn.say("start"),
};

import type { Command } from "../handler.ts";
import { inEveryLanguage } from "../i18n/texts.ts";

/** `/reset`: stops the current answer and deletes the messages of the conversation. */
export const reset: Command = {
  name: "reset",
  description: inEveryLanguage("reset.description"),
  interrupts: true,
  run: (turn) => {
    turn.conversation.messages = [];
    turn.conversation.summary = undefined;
    return turn.say("reset.done");
  },
};

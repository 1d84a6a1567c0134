import type { Command } from "../handler.ts";
import { inEveryLanguage } from "../i18n/texts.ts";

/** `/stop`: stops the current answer and keeps the conversation. */
export const stop: Command = {
  name: "stop",
  description: inEveryLanguage("stop.description"),
  interrupts: true,
  run: (turn) => (turn.event.silent ? undefined : turn.say("stop.done")),
};

import type { Command } from "../handler.ts";
import { inEveryLanguage } from "../i18n/texts.ts";

/** `/stop`: stops what is being answered; the conversation goes on from there. */
export const stop: Command = {
  name: "stop",
  description: inEveryLanguage("stop.description"),
  interrupts: true,
  run: (turn) => (turn.event.silent ? undefined : turn.say("stop.done")),
};

import type { Command, Turn } from "../handler.ts";
import { inEveryLanguage, inLanguage } from "../i18n/texts.ts";

/** `/help`: lists the given commands and itself. */
export function help(others: readonly Command[]): Command {
  const self: Command = {
    name: "help",
    description: inEveryLanguage("help.description"),
    run: (turn) => turn.say("help", { commands: list(turn, [...others, self]) }),
  };
  return self;
}

function list(turn: Turn, commands: readonly Command[]): string {
  return commands
    .filter((command) => !command.hidden)
    .map(({ name, description }) => `- /${name} – ${inLanguage(description, turn.locale)}`)
    .join("\n");
}

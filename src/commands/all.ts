import type { CommandEntry } from "../adapter.ts";
import type { Command } from "../handler.ts";
import { ask } from "./ask.ts";
import { help } from "./help.ts";
import { reset } from "./reset.ts";
import { start } from "./start.ts";
import { stop } from "./stop.ts";

/** The commands that Colloquy brings along, and then your own. */
export function allCommands(own: readonly Command[] = []): Command[] {
  const listed = [ask, reset, stop, ...own];
  return [...listed, help(listed), start];
}

/** The names of those that stop what was asked before them. */
export function interruptingNames(commands: readonly Command[]): Set<string> {
  return new Set(commands.filter(({ interrupts }) => interrupts).map(({ name }) => name));
}

/** The commands as a platform's menu shows them. */
export function menuOf(commands: readonly Command[]): CommandEntry[] {
  return commands
    .filter((command) => !command.hidden)
    .map(({ name, description, argument }) => ({ name, description, ...(argument && { argument }) }));
}

import type { CommandEntry } from "../adapter.ts";
import type { Command } from "../handler.ts";
import { ask } from "./ask.ts";
import type { Model } from "../model/model.ts";
import { help } from "./help.ts";
import { model } from "./model.ts";
import { persona } from "./persona.ts";
import { reset } from "./reset.ts";
import { start } from "./start.ts";
import { stop } from "./stop.ts";
import { type UsageOptions, usage } from "./usage.ts";

/** What of the commands depends on the program. */
export interface CommandParts extends UsageOptions {
  readonly models: readonly [Model, ...Model[]];
  readonly persona: string;
  readonly personas: ReadonlyMap<string, string>;
  /** Your own. */
  readonly own: readonly Command[];
}

/** The commands that Colloquy brings along, and then your own. Where there is nothing to choose, nothing is offered. */
export function allCommands({ models, persona: usual, personas, own, ...rest }: CommandParts): Command[] {
  const choosing = [
    ...(personas.size > 1 ? [persona(personas, usual)] : []),
    ...(models.length > 1 ? [model(models)] : []),
  ];
  const listed = [...FIXED, ...choosing, usage(rest), ...own];
  return [...listed, help(listed), start];
}

const FIXED: readonly Command[] = [ask, reset, stop];

/** The names of those that stop what was asked before them. */
export function interruptingNames(commands: readonly Command[] = FIXED): Set<string> {
  return new Set(commands.filter(({ interrupts }) => interrupts).map(({ name }) => name));
}

/** The commands as a platform's menu shows them. */
export function menuOf(commands: readonly Command[]): CommandEntry[] {
  return commands
    .filter((command) => !command.hidden)
    .map(({ name, description, argument, choices }) => ({
      name,
      description,
      ...(argument && { argument }),
      ...(choices && { choices }),
    }));
}

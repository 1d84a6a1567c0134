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

/** What the commands need from the program. */
export interface CommandParts extends UsageOptions {
  readonly models: readonly [Model, ...Model[]];
  readonly persona: string;
  readonly personas: ReadonlyMap<string, string>;
  /** The bot author's own commands. */
  readonly own: readonly Command[];
}

/** Returns Colloquy's commands followed by the author's own. `/persona` and `/model` exist only if there is a choice. */
export function allCommands({ models, persona: usual, personas, own, ...rest }: CommandParts): Command[] {
  const choosing = [
    ...(personas.size > 1 ? [persona(personas, usual)] : []),
    ...(models.length > 1 ? [model(models)] : []),
  ];
  const listed = [...FIXED, ...choosing, usage(rest), ...own];
  return [...listed, help(listed), start];
}

const FIXED: readonly Command[] = [ask, reset, stop];

/** Returns the names of the commands that stop the answers to earlier questions. */
export function interruptingNames(commands: readonly Command[] = FIXED): Set<string> {
  return new Set(commands.filter(({ interrupts }) => interrupts).map(({ name }) => name));
}

/** Returns the commands for a platform's menu. */
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

import type { Console } from "../../../adapters/console/index.ts";
import type { Settings } from "../../../config/settings.ts";
import type { Log } from "../../log.ts";
import { type ConsoleProgramOptions, createConsoleColloquy } from "../../program/console.ts";
import { openStore, type Store } from "../../store/store.ts";
import { type ConsoleFlags, logTo, settingsFor, toStderr } from "../environment.ts";
import { run } from "../run.ts";

/** What each command that converses at the console begins with. */
export interface ChatSession {
  readonly settings: Settings;
  readonly log: Log;
  readonly store: Store;
}

/** Opens the store for a command, and closes it when `use` has finished. */
export async function withSession(
  flags: ConsoleFlags,
  use: (session: ChatSession) => Promise<void>,
): Promise<void> {
  const settings = settingsFor(flags);
  const log = logTo(process.stderr, settings);
  const store = await openStore(settings.STORE_URL, toStderr);
  try {
    await use({ settings, log, store });
  } finally {
    await store.close();
  }
}

export interface ConverseOptions
  extends Pick<ConsoleProgramOptions, "chosen" | "commands" | "middleware" | "user"> {
  readonly console: Console;
  /** Closes the input when the command is stopped. */
  readonly close?: () => void;
}

/** Answers the input of the console until it ends or a signal arrives. */
export async function converse(session: ChatSession, { close, ...options }: ConverseOptions): Promise<void> {
  await run(session.log, async () => {
    const colloquy = await createConsoleColloquy({ ...session, ...options });
    return {
      stop: () => {
        close?.();
        return colloquy.stop();
      },
      running: async () => {
        await colloquy.start();
        await options.console.ended;
      },
    };
  });
}

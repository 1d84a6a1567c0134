import type { CommandEntry } from "../../src/adapter.ts";
import { describeError } from "../../src/errors.ts";
import type { Call } from "./api.ts";
import type { Log } from "./log.ts";

interface MenuOptions {
  readonly call: Call;
  readonly menu: readonly CommandEntry[];
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** What a command may be called, and how many there may be: https://core.telegram.org/bots/api#botcommand. */
const NAME = /^[a-z0-9_]{1,32}$/;
const MAX_COMMANDS = 100;
const MAX_DESCRIPTION = 256;

/** The menu is not worth more waiting before the first message is received, in ms. */
const TIMEOUT_MS = 10_000;

/** Makes Telegram's menu show the commands, in every language there is, writing only what differs. */
export async function registerMenu({ call, menu, log, signal }: MenuOptions): Promise<void> {
  const languages = new Set(menu.flatMap(({ description }) => Object.keys(description)));
  languages.delete("en");
  const options = { signal, timeoutMs: TIMEOUT_MS };
  try {
    for (const language of ["en", ...languages]) {
      // English is what everyone sees who has no menu of their own.
      const scope = language === "en" ? {} : { language_code: language.slice(0, 2).toLowerCase() };
      const wanted = menuIn(language, menu);
      const found = await call("getMyCommands", scope, options);
      if (JSON.stringify(found) === JSON.stringify(wanted)) continue;
      await call("setMyCommands", { commands: wanted, ...scope }, options);
    }
  } catch (error) {
    if (!signal.aborted) log.warn({}, `Telegram's menu does not show the commands: ${describeError(error)}`);
  }
}

function menuIn(language: string, menu: readonly CommandEntry[]) {
  return menu
    .filter(({ name }) => NAME.test(name))
    .slice(0, MAX_COMMANDS)
    .map(({ name, description }) => ({
      command: name,
      description: (description[language] ?? description["en"] ?? name).slice(0, MAX_DESCRIPTION),
    }));
}

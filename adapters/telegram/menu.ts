import type { CommandEntry } from "../../src/adapter.ts";
import { describeError } from "../../src/errors.ts";
import type { Call } from "./api.ts";
import type { AdapterLog } from "../../src/log.ts";

interface MenuOptions {
  readonly call: Call;
  readonly menu: readonly CommandEntry[];
  readonly log: AdapterLog;
  readonly signal: AbortSignal;
}

/** The limits of a command's name and description, and of the list: https://core.telegram.org/bots/api#botcommand. */
const NAME = /^[a-z0-9_]{1,32}$/;
const MAX_COMMANDS = 100;
const MAX_DESCRIPTION = 256;

/** How long each call may delay the start, in ms: messages are received only after the menu is set. */
const TIMEOUT_MS = 10_000;

/** Sets Telegram's menu of commands in every available language, unless it is up to date. A failure is only logged. */
export async function registerMenu({ call, menu, log, signal }: MenuOptions): Promise<void> {
  const languages = new Set(menu.flatMap(({ description }) => Object.keys(description)));
  languages.delete("en");
  const options = { signal, timeoutMs: TIMEOUT_MS };
  try {
    for (const language of ["en", ...languages]) {
      // The menu without a language is shown to users whose language has none.
      const scope = language === "en" ? {} : { language_code: language.slice(0, 2).toLowerCase() };
      const wanted = menuIn(language, menu);
      const found = await call("getMyCommands", scope, options);
      if (JSON.stringify(found) === JSON.stringify(wanted)) continue;
      await call("setMyCommands", { commands: wanted, ...scope }, options);
    }
  } catch (error) {
    if (!signal.aborted)
      log.warn({}, `could not update Telegram's menu of commands: ${describeError(error)}`);
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

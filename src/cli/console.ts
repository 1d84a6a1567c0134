import { type Console, createConsole, linesOf, openTerminal } from "../../adapters/console/index.ts";
import type { Settings } from "../../config/settings.ts";
import { texts } from "../i18n/texts.ts";
import { localUrl, looks, systemLocale } from "./surroundings.ts";

/** Whoever sits where the program was started. */
export interface OpenConsole {
  readonly adapter: Console;
  close(): void;
  /** Whether anything was said. */
  spoken(): boolean;
}

/** A terminal, or a pipe of which each line is a message. */
export function openConsole(user: string, served?: Settings): OpenConsole {
  const { stdin, stdout } = process;
  const locale = systemLocale();
  const say = texts(locale ?? "en");
  if (!stdin.isTTY || !stdout.isTTY) {
    let spoken = false;
    const input = (async function* () {
      for await (const said of linesOf(stdin)) {
        spoken = true;
        yield said;
      }
    })();
    const adapter = createConsole({ input, output: stdout, user, locale, ...looks() });
    return { adapter, close: () => stdin.destroy(), spoken: () => spoken };
  }
  stdout.write(`${say("console.welcome")}\n`);
  if (served?.WEB_CHAT && served.HTTP_PORT !== 0)
    stdout.write(`${say("console.web", { url: served.WEB_URL ?? localUrl(served) })}\n`);
  if (served && served.HTTP_PORT !== 0)
    stdout.write(`${say("console.playground", { url: `${localUrl(served)}/playground` })}\n`);
  const terminal = openTerminal({
    input: stdin,
    output: stdout,
    prompt: `\n${user}> `,
    leaveHint: say("console.leave"),
  });
  const adapter = createConsole({
    input: terminal.said,
    output: stdout,
    user,
    locale,
    ...looks(),
    idle: () => terminal.prompt(),
  });
  return { adapter, close: () => terminal.close(), spoken: () => true };
}

import { type Console, createConsole, linesOf, openTerminal } from "../../adapters/console/index.ts";
import type { Settings } from "../../config/settings.ts";
import { texts } from "../i18n/texts.ts";
import type { LocalAccess } from "../http/local.ts";
import { localUrl, looks, systemLocale } from "./surroundings.ts";

/** Whoever sits where the program was started. */
export interface OpenConsole {
  readonly adapter: Console;
  close(): void;
  /** Whether anything was said. */
  spoken(): boolean;
}

/** What the HTTP port serves. */
export interface Served {
  readonly settings: Settings;
  /** Absent where the port is open to others. */
  readonly local: LocalAccess | undefined;
  /** Whether there is a playground. */
  readonly playground: boolean;
  /** Where the port answers; that of the settings if absent. */
  readonly url?: string;
}

/** A terminal, or a pipe of which each line is a message. */
export function openConsole(user: string, served?: Served): OpenConsole {
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
  stdout.write(`${say("terminal.welcome")}\n`);
  if (served) stdout.write(addresses(served));
  const terminal = openTerminal({
    input: stdin,
    output: stdout,
    prompt: `\n${user}> `,
    leaveHint: say("terminal.leave"),
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

/** Where to find the web chat and the playground, a line each, with the token; nothing while the port is not known. */
export function addresses({ settings, local, playground, url = localUrl(settings) }: Served): string {
  const say = texts(systemLocale() ?? "en");
  if (url.endsWith(":0")) return "";
  const web = local ? local.link(url) : settings.WEB_URL;
  const lines = [
    ...(settings.WEB_CHAT ? [web ? say("terminal.web", { url: web }) : say("terminal.link")] : []),
    ...(local && playground ? [say("terminal.playground", { url: local.link(`${url}/playground`) })] : []),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

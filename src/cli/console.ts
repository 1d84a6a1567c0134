import {
  type Console,
  createConsole,
  linesOf,
  openTerminal,
  type Seat,
  type Terminal,
} from "../../adapters/console/index.ts";
import type { Settings } from "../../config/settings.ts";
import type { LocalAccess } from "../http/local.ts";
import { texts } from "../i18n/texts.ts";
import { oneLine } from "../sanitize/harmless.ts";
import { localUrl, looks, systemLocale } from "./environment.ts";

/** The console of the process, while it is open. */
export interface OpenConsole {
  readonly adapter: Console;
  close(): void;
  /** Whether there was any input. */
  hasInput(): boolean;
}

/** What the HTTP port serves. */
export interface Served {
  readonly settings: Settings;
  /** Absent if the port is open to other machines. */
  readonly local: LocalAccess | undefined;
  /** Whether there is a playground. */
  readonly playground: boolean;
  /** The URL of the port; the one in the settings by default. */
  readonly url?: string;
}

/** Opens the terminal, or a pipe in which each line is a message. `served`: addresses to show in the terminal. */
export function openConsole(user: string, served: Served): OpenConsole {
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY) return openPipe(user);
  stdout.write(`${texts(systemLocale() ?? "en")("terminal.welcome")}\n`);
  stdout.write(addresses(served));
  const { adapter, terminal } = seatAtTerminal({ user });
  return { adapter, close: () => terminal.close(), hasInput: () => true };
}

function openPipe(user: string): OpenConsole {
  const { stdin, stdout } = process;
  let hasInput = false;
  const input = (async function* () {
    for await (const said of linesOf(stdin)) {
      hasInput = true;
      yield said;
    }
  })();
  const adapter = createConsole({ input, output: stdout, user, locale: systemLocale(), ...looks() });
  return { adapter, close: () => stdin.destroy(), hasInput: () => hasInput };
}

/** Opens the terminal for one conversation. `history`: earlier questions, newest first, for the arrow keys. */
export function seatAtTerminal(
  seat: Seat,
  history: readonly string[] = [],
): { readonly adapter: Console; readonly terminal: Terminal } {
  const { stdin: input, stdout: output } = process;
  const locale = systemLocale();
  const terminal = openTerminal({
    input,
    output,
    prompt: `\n${oneLine(seat.user)}> `,
    leaveHint: texts(locale ?? "en")("terminal.leave"),
    history,
  });
  const adapter = createConsole({
    input: terminal.said,
    output,
    user: () => seat,
    locale,
    ...looks(),
    idle: () => terminal.prompt(),
  });
  return { adapter, terminal };
}

/** The addresses of the web chat and the playground, one a line, with the token; empty while the port is unknown. */
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

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

/** What the HTTP port serves beside the console. */
export interface Served {
  readonly settings: Settings;
  /** Absent where the port is open to others. */
  readonly local: LocalAccess | undefined;
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
  stdout.write(`${say("console.welcome")}\n`);
  if (served) stdout.write(addresses(served, say));
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

/** Where to find the web chat and the playground, a line each; nothing while the port is not known. */
function addresses({ settings, local }: Served, say: ReturnType<typeof texts>): string {
  if (settings.HTTP_PORT === 0) return "";
  const here = localUrl(settings);
  const web = local ? local.link(here) : settings.WEB_URL;
  const lines = [
    ...(settings.WEB_CHAT ? [web ? say("console.web", { url: web }) : say("console.link")] : []),
    ...(local ? [say("console.playground", { url: local.link(`${here}/playground`) })] : []),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

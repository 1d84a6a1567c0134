import { userInfo } from "node:os";
import { createLocalAccess } from "../http/local.ts";
import { hasPlatforms } from "../program/platforms.ts";
import { isForThisMachine } from "../program/reach.ts";
import { type ProgramRole, startProgram } from "../program/start.ts";
import { subscribe } from "../telemetry/events.ts";
import { addresses, openConsole } from "./console.ts";
import { openPlayground } from "./playground.ts";
import { forever, run } from "./run.ts";
import { logTo, ownSettings } from "./environment.ts";

/** In a playground: sends the parent process the address of the web chat and the stages of messages, and ends with it. */
function reportToPlayground(open: string): void {
  if (!process.env["COLLOQUY_STEPS"] || !process.send) return;
  process.send({ open });
  subscribe("step", (step) => process.send?.(step));
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
}

/** `colloquy start`: runs the program, with a console if no platform is configured. */
export async function runStart({ role }: { role: ProgramRole }): Promise<void> {
  const settings = ownSettings();
  const withConsole = !hasPlatforms(settings) && role === "all";
  const quiet = withConsole && process.stdout.isTTY && !process.env["LOG_LEVEL"];
  const log = logTo(process.stdout, quiet ? { ...settings, LOG_LEVEL: "warn" } : settings);
  const local = isForThisMachine(settings) ? createLocalAccess() : undefined;
  const console = withConsole
    ? openConsole(userInfo().username, { settings, local, playground: local !== undefined })
    : undefined;
  const starting = run(log, async () => {
    const playground = console && local && (await openPlayground({ settings, log }));
    const program = await startProgram({
      settings,
      log,
      console: console?.adapter,
      role,
      local,
      pages: playground ? [playground] : [],
    });
    reportToPlayground(local?.link(program.url) ?? program.url);
    // Not in the log, because they contain a token. In a terminal they are shown before the prompt.
    if (role !== "worker" && !(console && process.stdout.isTTY))
      process.stderr.write(
        addresses({ settings, local, url: program.url, playground: playground !== undefined }),
      );
    return {
      stop: () => {
        console?.close();
        return Promise.all([program.stop(), playground?.close()]).then(() => undefined);
      },
      running: async () => {
        log.info({ platforms: await program.connected, url: program.url }, "ready");
        if (!console) return forever();
        await console.adapter.ended;
        if (console.hasInput()) return;
        log.warn(`no platform is configured and standard input is empty: only ${program.url} is available`);
        return forever();
      },
    };
  });
  await starting.finally(() => console?.close());
}

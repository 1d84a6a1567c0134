import { userInfo } from "node:os";
import { createLocalAccess } from "../http/local.ts";
import { hasPlatforms, isForThisMachine, type ProgramRole, startProgram } from "../main.ts";
import { onPulse } from "../pulse.ts";
import { openConsole } from "./console.ts";
import { openPlayground } from "./playground.ts";
import { forever, run } from "./run.ts";
import { logTo, ownSettings } from "./surroundings.ts";

/** In a playground: tells the process that shows it where it is and how far messages come, and ends with it. */
function tellPlayground(url: string): void {
  if (!process.env["COLLOQUY_STEPS"] || !process.send) return;
  process.send({ url });
  onPulse("step", (step) => process.send?.(step));
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
}

/** `colloquy start`. */
export async function start({ role }: { role: ProgramRole }): Promise<void> {
  const settings = ownSettings();
  const withConsole = !hasPlatforms(settings) && role === "all";
  const quiet = withConsole && process.stdout.isTTY && !process.env["LOG_LEVEL"];
  const log = logTo(process.stdout, quiet ? { ...settings, LOG_LEVEL: "warn" } : settings);
  const local = isForThisMachine(settings) ? createLocalAccess() : undefined;
  const console = withConsole ? openConsole(userInfo().username, { settings, local }) : undefined;
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
    tellPlayground(program.url);
    return {
      stop: () => {
        console?.close();
        return Promise.all([program.stop(), playground?.close()]).then(() => undefined);
      },
      running: async () => {
        // With the token, which the log hides nowhere else: these are the addresses to open.
        const pages = {
          ...(local && settings.WEB_CHAT && role !== "worker" && { open: local.link(program.url) }),
          ...(local && playground && { playground: local.link(`${program.url}/playground`) }),
        };
        log.info({ platforms: await program.connected, url: program.url, ...pages }, "ready");
        if (!console) return forever();
        await console.adapter.ended;
        if (console.spoken()) return;
        log.warn(`no platform is configured and standard input is empty: only ${program.url} is served`);
        return forever();
      },
    };
  });
  await starting.finally(() => console?.close());
}

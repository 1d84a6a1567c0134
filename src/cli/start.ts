import { userInfo } from "node:os";
import { loadSettings } from "../../config/settings.ts";
import { hasPlatforms, type ProgramRole, startProgram } from "../main.ts";
import { openConsole } from "./console.ts";
import { forever, run } from "./run.ts";
import { logTo } from "./surroundings.ts";

/** `colloquy start`. */
export async function start({ role }: { role: ProgramRole }): Promise<void> {
  const settings = loadSettings(process.env);
  const withConsole = !hasPlatforms(settings) && role === "all";
  const quiet = withConsole && process.stdout.isTTY && !process.env["LOG_LEVEL"];
  const log = logTo(process.stdout, quiet ? { ...settings, LOG_LEVEL: "warn" } : settings);
  const console = withConsole ? openConsole(userInfo().username, settings) : undefined;
  const starting = run(log, async () => {
    const program = await startProgram({ settings, log, console: console?.adapter, role });
    return {
      stop: () => {
        console?.close();
        return program.stop();
      },
      running: async () => {
        log.info({ platforms: await program.connected, url: program.url }, "ready");
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

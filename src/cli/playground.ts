import { loadSettings, type Settings } from "../../config/settings.ts";
import type { Log } from "../log.ts";
import { type Pages, startServer } from "../server.ts";
import { forever, run } from "./run.ts";
import { logTo } from "./surroundings.ts";

/** `colloquy playground`: every platform side by side, simulated, whatever is configured. */
export async function playground(): Promise<void> {
  const settings = loadSettings(process.env);
  const log = logTo(process.stdout, settings);
  await run(log, async () => {
    const pages = await openPlayground({ settings, log });
    const { HTTP_HOST: host, HTTP_PORT: port } = settings;
    const server = await startServer({ host, port, adapters: [], pages: [pages], troubles: () => ({}) });
    return {
      stop: async () => {
        await server.close();
        await pages.close();
      },
      running: () => {
        log.info({ url: `${server.url}/playground` }, "ready");
        return forever();
      },
    };
  });
}

/** The playground's pages; nothing of it runs before one of them is opened. */
export async function openPlayground(options: {
  settings: Settings;
  log: Log;
}): Promise<Pages & { close(): Promise<void> }> {
  const { createPlayground } = await import("../playground/playground.ts");
  const { pages, close } = createPlayground(options);
  return { paths: ["/playground", "/playground/*"], app: pages, close };
}

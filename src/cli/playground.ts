import type { Settings } from "../../config/settings.ts";
import { ConfigError } from "../errors.ts";
import { createLocalAccess, isLoopback } from "../http/local.ts";
import { texts } from "../i18n/texts.ts";
import type { Log } from "../log.ts";
import { type Pages, startServer } from "../program/server.ts";
import { forever, run } from "./run.ts";
import { logTo, ownSettings, systemLocale } from "./environment.ts";

/** `colloquy playground`: serves the simulated platforms, no matter which platforms are configured. */
export async function playground(): Promise<void> {
  const settings = ownSettings();
  if (!isLoopback(settings.HTTP_HOST)) {
    throw new ConfigError(
      "http_host",
      `The playground can only be used on this machine, but HTTP_HOST is ${settings.HTTP_HOST}: remove the setting, or set it to 127.0.0.1`,
    );
  }
  const local = createLocalAccess();
  const log = logTo(process.stdout, settings);
  await run(log, async () => {
    const pages = await openPlayground({ settings, log });
    const { HTTP_HOST: host, HTTP_PORT: port } = settings;
    const server = await startServer({
      host,
      port,
      adapters: [],
      pages: [pages],
      local,
      health: () => ({}),
    });
    return {
      stop: async () => {
        await server.close();
        await pages.close();
      },
      running: () => {
        const url = `${server.url}/playground`;
        process.stderr.write(
          `${texts(systemLocale() ?? "en")("terminal.playground", { url: local.link(url) })}\n`,
        );
        log.info({ url }, "ready");
        return forever();
      },
    };
  });
}

/** Creates the playground's pages. Its processes start when one of the pages is first opened. */
export async function openPlayground(options: {
  settings: Settings;
  log: Log;
}): Promise<Pages & { close(): Promise<void> }> {
  const { createPlayground } = await import("../playground/playground.ts");
  const { pages, close } = createPlayground(options);
  return { paths: ["/playground", "/playground/*"], app: pages, close };
}

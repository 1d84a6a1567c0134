import type { Settings } from "../../config/settings.ts";
import type { Adapter } from "../adapter.ts";
import type { Colloquy } from "../colloquy.ts";
import type { LocalAccess } from "../http/local.ts";
import { VERSION } from "../system/package.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { trustedProxies } from "./reach.ts";
import { type Pages, type Server, startServer } from "./server.ts";
import type { ProgramRole } from "./start.ts";
import { createStatus } from "./status.ts";

const STATUS = ["/metrics", "/status", "/status/*"];

export interface PortOptions {
  readonly settings: Settings;
  readonly adapters: readonly Adapter[];
  readonly colloquy: Colloquy;
  readonly role: ProgramRole | undefined;
  readonly local: LocalAccess | undefined;
  readonly pages: readonly Pages[] | undefined;
}

/** Opens the HTTP port of the program, with the web chat, webhooks, health, status and metrics. */
export async function openPort(options: PortOptions): Promise<Pick<Server, "url" | "close">> {
  const { settings, adapters, colloquy, role = "all", local, pages = [] } = options;
  const health = () => colloquy.health();
  let server: Server | undefined;
  const metrics = createMetrics({
    platforms: adapters.map(({ name }) => name),
    health,
    load: () => colloquy.load(),
    connections: async () => (await server?.connections()) ?? 0,
  });
  const status = createStatus({ metrics, token: settings.STATUS_TOKEN, version: VERSION, role, health });
  try {
    const started = await startServer({
      host: settings.HTTP_HOST,
      port: settings.HTTP_PORT,
      adapters: role === "worker" ? [] : adapters,
      pages: [...pages, { paths: STATUS, app: status }],
      health,
      local,
      forwarded: trustedProxies(settings),
    });
    server = started;
    return {
      url: started.url,
      close: async () => {
        await started.close();
        metrics.stop();
      },
    };
  } catch (error) {
    metrics.stop();
    throw error;
  }
}

import type { Settings } from "../../config/settings.ts";
import type { Adapter } from "../adapter.ts";
import type { Log } from "../log.ts";
import type { Proxy } from "../proxy/proxy.ts";
import type { ValueStore } from "../store/values.ts";

/** Whether at least one chat platform is configured, apart from the web chat and the console. */
export function hasPlatforms(settings: Settings): boolean {
  return Boolean(settings.TELEGRAM_BOT_TOKEN || settings.DISCORD_BOT_TOKEN || settings.DINGTALK_CLIENT_ID);
}

/** Creates the adapters of all configured platforms. The packages of the others are not loaded. */
export async function createPlatforms(settings: Settings, log: Log, values: ValueStore): Promise<Adapter[]> {
  // Before discord.js is loaded, which keeps a reference to the WebSocket class that a proxy replaces.
  const proxy = await useConfiguredProxy(settings);
  const adapters: Adapter[] = [];
  if (settings.TELEGRAM_BOT_TOKEN) {
    const { createTelegram } = await import("../../adapters/telegram/index.ts");
    const { TELEGRAM_WEBHOOK_URL: url, TELEGRAM_WEBHOOK_SECRET: secret } = settings;
    const agent = proxy?.agentFor(settings.TELEGRAM_API_ROOT);
    const telegram = createTelegram({
      token: settings.TELEGRAM_BOT_TOKEN,
      apiRoot: settings.TELEGRAM_API_ROOT,
      rich: settings.TELEGRAM_RICH,
      drafts: settings.TELEGRAM_DRAFTS,
      log: log.child({ platform: "telegram" }),
      ...(agent && { agent }),
      ...(url && { webhook: { url, ...(secret && { secret }) } }),
    });
    adapters.push(telegram);
  }
  if (settings.DISCORD_BOT_TOKEN) {
    const { createDiscord } = await import("../../adapters/discord/index.ts");
    const apiRoot = settings.DISCORD_API_ROOT;
    const discord = createDiscord({
      token: settings.DISCORD_BOT_TOKEN,
      fileAfter: settings.DISCORD_FILE_AFTER,
      sessions: (name) => values.at(name),
      log: log.child({ platform: "discord" }),
      ...(apiRoot && { apiRoot }),
    });
    adapters.push(discord);
  }
  if (settings.DINGTALK_CLIENT_ID && settings.DINGTALK_CLIENT_SECRET) {
    const { createDingtalk } = await import("../../adapters/dingtalk/index.ts");
    const { DINGTALK_API_ROOT: apiRoot, DINGTALK_CARD_TEMPLATE: card, DINGTALK_CARD_FIELD: field } = settings;
    const dingtalk = createDingtalk({
      clientId: settings.DINGTALK_CLIENT_ID,
      clientSecret: settings.DINGTALK_CLIENT_SECRET,
      callback: settings.DINGTALK_MODE === "callback",
      ...(card && { cardTemplate: { id: card, field } }),
      log: log.child({ platform: "dingtalk" }),
      ...(apiRoot && { apiRoot }),
      ...(proxy && { agentFor: (url: string) => proxy.agentFor(url) }),
    });
    adapters.push(dingtalk);
  }
  return adapters;
}

/**
 * Sends all connections through the configured proxy, if there is one. Its packages are loaded only then: loading them
 * takes a fifth of the time that the program needs to start.
 */
export async function useConfiguredProxy(settings: Settings): Promise<Proxy | undefined> {
  const { HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY } = settings;
  if (!HTTP_PROXY && !HTTPS_PROXY && !ALL_PROXY) return undefined;
  const proxy = await import("../proxy/proxy.ts");
  return proxy.useProxy({ HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY });
}

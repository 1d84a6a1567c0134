import type { Settings } from "../../config/settings.ts";
import { createForwarded, type Forwarded } from "../http/forwarded.ts";
import { isLoopback } from "../http/local.ts";
import { createRanges } from "../http/ranges.ts";

/** Whether only this machine uses the HTTP port: no setting opens it to others or announces a proxy in front of it. */
export function isForThisMachine(settings: Settings): boolean {
  return isLoopback(settings.HTTP_HOST) && !hasPublicUrl(settings) && settings.TRUSTED_PROXIES.length === 0;
}

/**
 * The proxies whose `X-Forwarded-For` header is trusted. A proxy on the same machine needs no setting, because only this
 * machine's own processes could impersonate it.
 */
export function trustedProxies(settings: Settings): Forwarded {
  const { TRUSTED_PROXIES: named } = settings;
  const trusted = createRanges();
  const isDefault = named.length === 0 && hasPublicUrl(settings);
  for (const proxy of isDefault ? ["127.0.0.0/8", "::1"] : named) trusted.add(proxy);
  return createForwarded(trusted);
}

/** Whether other machines send requests: to the page's public URL, to a webhook or to a callback. */
function hasPublicUrl({
  WEB_URL,
  TELEGRAM_WEBHOOK_URL,
  DINGTALK_CLIENT_ID,
  DINGTALK_MODE,
}: Settings): boolean {
  const hasCallback = DINGTALK_CLIENT_ID !== undefined && DINGTALK_MODE === "callback";
  return WEB_URL !== undefined || TELEGRAM_WEBHOOK_URL !== undefined || hasCallback;
}

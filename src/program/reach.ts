import type { Settings } from "../../config/settings.ts";
import { createForwarded, type Forwarded } from "../http/forwarded.ts";
import { isLoopback } from "../http/local.ts";
import { createRanges } from "../http/ranges.ts";

/** Whether only this machine uses the HTTP port: no setting opens it to others or announces a proxy in front of it. */
export function isForThisMachine(settings: Settings): boolean {
  const { HTTP_HOST, WEB_URL, TELEGRAM_WEBHOOK_URL, DINGTALK_CLIENT_ID, DINGTALK_MODE } = settings;
  const hasCallback = DINGTALK_CLIENT_ID !== undefined && DINGTALK_MODE === "callback";
  const isOpen = WEB_URL !== undefined || TELEGRAM_WEBHOOK_URL !== undefined || hasCallback;
  return isLoopback(HTTP_HOST) && !isOpen && settings.TRUSTED_PROXIES.length === 0;
}

/**
 * The proxies whose `X-Forwarded-For` header is trusted. A proxy on the same machine needs no setting, because only this
 * machine's own processes could impersonate it.
 */
export function trustedProxies({
  TRUSTED_PROXIES: named,
  WEB_URL,
  TELEGRAM_WEBHOOK_URL,
}: Settings): Forwarded {
  const isForwarded = WEB_URL !== undefined || TELEGRAM_WEBHOOK_URL !== undefined;
  const trusted = createRanges();
  for (const proxy of named.length > 0 || !isForwarded ? named : ["127.0.0.0/8", "::1"]) trusted.add(proxy);
  return createForwarded(trusted);
}

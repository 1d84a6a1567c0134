import { ConfigError } from "../../../src/errors.ts";
import type { Call } from "../api.ts";
import { malformedAnswer, TelegramRefusal } from "../errors.ts";
import type { AdapterLog } from "../../../src/log.ts";
import { Bot } from "./schemas.ts";

/** The bot that the token belongs to; throws a `ConfigError` if Telegram refuses the token. */
export async function whoAmI(call: Call, signal: AbortSignal): Promise<Bot> {
  try {
    const bot = Bot.safeParse(await call("getMe", {}, { signal })).data;
    if (bot) return bot;
  } catch (error) {
    if (!(error instanceof TelegramRefusal) || ![401, 404].includes(error.status)) throw error;
    throw new ConfigError(
      "telegram_token",
      `Telegram refused the bot token (TELEGRAM_BOT_TOKEN): ${error.description}. Copy it again from @BotFather, or ask @BotFather for a new one with /token.`,
    );
  }
  throw malformedAnswer("getMe");
}

interface SetWebhookOptions {
  readonly call: Call;
  /** The fields of `setWebhook`. */
  readonly hook: object;
  readonly signal: AbortSignal;
}

/** Sets the webhook; throws a `ConfigError` if Telegram refuses its URL. */
export async function setWebhook({ call, hook, signal }: SetWebhookOptions): Promise<void> {
  try {
    await call("setWebhook", hook, { signal });
  } catch (error) {
    if (!(error instanceof TelegramRefusal) || error.status !== 400) throw error;
    throw new ConfigError(
      "telegram_webhook",
      `Telegram refused the webhook (TELEGRAM_WEBHOOK_URL): ${error.description}. It must be a public https:// URL on port 443, 80, 88 or 8443.`,
    );
  }
}

interface ClearWebhookOptions {
  readonly call: Call;
  readonly log: AdapterLog;
  readonly signal: AbortSignal;
}

/** Removes a webhook that an earlier run may have set, as it would block polling. Pending updates are kept. */
export async function clearWebhook({ call, log, signal }: ClearWebhookOptions): Promise<void> {
  try {
    const info = await call("getWebhookInfo", {}, { signal });
    const url = typeof info === "object" && info && "url" in info ? info.url : "";
    if (url) await call("deleteWebhook", {}, { signal });
  } catch (error) {
    // A self-hosted server may not implement webhooks. If one is set after all, polling reports the conflict.
    if (!(error instanceof TelegramRefusal) || ![400, 404].includes(error.status)) throw error;
    log.info({}, `could not check whether a webhook is set: ${error.message}`);
  }
}

import { startDingtalkSimulator } from "../../adapters/dingtalk/simulator/simulator.ts";
import { startDiscordSimulator } from "../../adapters/discord/simulator/simulator.ts";
import { startTelegramSimulator } from "../../adapters/telegram/simulator/simulator.ts";
import type { WindowName } from "./protocol.ts";
import { dingtalkWindow, discordWindow, type PlayWindow, telegramWindow } from "./windows.ts";

/** The simulated platforms. */
export interface Platforms {
  readonly windows: Readonly<Record<Exclude<WindowName, "terminal">, PlayWindow>>;
  /** The settings with which the program connects to them. */
  readonly env: Readonly<Record<string, string>>;
  /** Cuts all open connections. */
  drop(): void;
  /** Makes each platform refuse the next messages, as flood control does. */
  flood(): void;
  close(): Promise<void>;
}

/** How many calls and messages each simulator remembers. */
const MAX_REMEMBERED = 300;

/** The card template with which answers grow in DingTalk. */
const CARD = { id: "playground.schema", field: "content" };

/** How many writes in a row flood control refuses on each platform, and how long it asks to wait each time, in seconds. */
const FLOOD = { times: 2, seconds: 3 };

/**
 * Starts the simulated platforms, with their real limits. `changed` is called when a window may have changed; `locale` is the
 * language of the apps.
 */
export async function startPlatforms({
  changed,
  locale,
}: {
  readonly changed: () => void;
  readonly locale: () => string;
}): Promise<Platforms> {
  const [telegram, discord, dingtalk] = await Promise.all([
    startTelegramSimulator({ flood: true, keep: MAX_REMEMBERED, changed }),
    startDiscordSimulator({ rateLimits: true, keep: MAX_REMEMBERED, changed }),
    startDingtalkSimulator({ limits: true, cardTemplate: CARD, changed }),
  ]);

  return {
    windows: {
      telegram: telegramWindow(telegram, locale),
      discord: discordWindow(discord),
      dingtalk: dingtalkWindow(dingtalk),
    },
    env: {
      TELEGRAM_BOT_TOKEN: telegram.token,
      TELEGRAM_API_ROOT: telegram.apiRoot,
      DISCORD_BOT_TOKEN: discord.token,
      DISCORD_API_ROOT: discord.apiRoot,
      DINGTALK_CLIENT_ID: dingtalk.clientId,
      DINGTALK_CLIENT_SECRET: dingtalk.clientSecret,
      DINGTALK_API_ROOT: dingtalk.apiRoot,
      DINGTALK_CARD_TEMPLATE: CARD.id,
      DINGTALK_CARD_FIELD: CARD.field,
    },
    drop: () => {
      telegram.dropSockets();
      discord.dropSockets();
      dingtalk.stream.drop();
    },
    flood: () => {
      for (const method of ["sendMessage", "sendRichMessage", "editMessageText"])
        telegram.fail({ method, times: FLOOD.times, how: { status: 429, body: TELEGRAM_REFUSAL } });
      discord.fail(DISCORD_REFUSAL);
      dingtalk.fail({ call: "streaming", times: FLOOD.times, how: DINGTALK_REFUSAL });
    },
    close: async () => {
      await Promise.all([telegram.close(), discord.close(), dingtalk.close()]);
    },
  };
}

const TELEGRAM_REFUSAL = {
  ok: false,
  error_code: 429,
  description: `Too Many Requests: retry after ${FLOOD.seconds}`,
  parameters: { retry_after: FLOOD.seconds },
};

const DISCORD_REFUSAL = {
  path: /^\/channels\/\d+\/messages/,
  times: FLOOD.times,
  status: 429,
  headers: { "retry-after": `${FLOOD.seconds}`, "x-ratelimit-scope": "shared" },
  body: { message: "You are being rate limited.", retry_after: FLOOD.seconds, global: false },
};

const DINGTALK_REFUSAL = {
  status: 403,
  body: { code: "Forbidden.AccessDenied.QpsLimitForApi", message: "the limit of this API is reached" },
};

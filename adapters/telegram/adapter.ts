import { setTimeout as sleep } from "node:timers/promises";
import type { Adapter, CommandEntry, Pace, Receive } from "../../src/adapter.ts";
import { ConfigError, describeError } from "../../src/errors.ts";
import type { ChatEvent } from "../../src/event.ts";
import { createWebhook } from "../../src/http/webhook.ts";
import { readAddress } from "./send/address.ts";
import { type ApiOptions, createCall, followMoves } from "./api.ts";
import { createTelegramDialect, type TelegramBody } from "./dialect/dialect.ts";
import { createDraft } from "./send/drafts.ts";
import { nonsense, TelegramRefusal } from "./errors.ts";
import { createHealth } from "./receive/health.ts";
import { type Log, SILENCE } from "./log.ts";
import { registerMenu } from "./menu.ts";
import { createMessages } from "./send/messages.ts";
import { poll } from "./receive/poll.ts";
import type { RichMode } from "./dialect/rich.ts";
import { createUnstored } from "./receive/unstored.ts";
import { Bot, pressIn, toEvent, updateId, wantedUpdates } from "./receive/updates.ts";
import { secretFrom, showsSecret, watchWebhook } from "./receive/webhook.ts";
import { createWrite } from "./send/write.ts";

/** How to be a Telegram bot. */
export interface TelegramOptions extends ApiOptions {
  /** Receive by HTTP instead of polling, at this public URL; without a secret one is made from the token. */
  readonly webhook?: { readonly url: string; readonly secret?: string };
  /** How messages are written; `auto` by default. */
  readonly rich?: RichMode;
  /** In private chats an answer grows as a draft, with a button to stop it; needs Bot API 9.5, the button 10.3. */
  readonly drafts?: boolean;
  readonly log?: Log;
  readonly pace?: Pace;
  /** How long Telegram holds an empty poll open, in seconds; at most 50. */
  readonly pollSeconds?: number;
  /** How often it is looked whether the webhook still stands and is reached, in seconds. */
  readonly webhookCheckSeconds?: number;
}

/**
 * A message a second in a chat, 20 a minute in a group, 30 a second in all (of which a few are left for bursts), edits
 * count: https://core.telegram.org/bots/faq. For drafts
 * no limit is published, but there is one; they vanish after 30 s (https://core.telegram.org/bots/api#sendmessagedraft).
 */
const PACE: Pace = { direct: 1000, group: 3000, overall: 40, draft: 500, redraft: 20_000 };

/** Telegram's longest poll, in seconds (telegram-bot-api, Client.cpp). */
const POLL_SECONDS = 50;

/** Telegram keeps what it cannot deliver for a day: a minute more or less is soon enough. */
const WEBHOOK_CHECK_SECONDS = 60;

/** After this time a person is told that what they have said is not stored yet, in ms. */
const PATIENCE_MS = 10_000;

/** How long stopping waits for what is just being stored, in ms. */
const STOP_MS = 3000;

/** Where events go, and what the menu of commands shows. */
interface Intake {
  readonly receive: Receive;
  readonly menu: readonly CommandEntry[];
  readonly signal: AbortSignal;
}

/** Telegram: receives by polling or webhook, an update being acknowledged only once it is stored. */
export function createTelegram(options: TelegramOptions): Adapter<TelegramBody> {
  const { token, webhook, drafts = false, log = SILENCE } = options;
  const secret = webhook?.secret ?? secretFrom(token);
  const call = createCall(options);
  const callChat = followMoves(call);
  const write = createWrite(callChat, log);
  const wanted = wantedUpdates(drafts);
  const health = createHealth(log);
  const { note, highWaterMark, ...messages } = createMessages(callChat, write);
  const unstored = createUnstored({
    tell: (event, text) => messages.send(event.to, { text, entities: [] }, `${event.id}#unstored`),
    patienceMs: PATIENCE_MS,
  });
  let running: { stop: AbortController; ended: Promise<void> } | undefined;
  let takeRequest: ((body: string) => Promise<void>) | undefined;

  return {
    name: "telegram",
    dialect: createTelegramDialect(options),
    pace: options.pace ?? PACE,
    start: async (receive, menu) => {
      const stop = new AbortController();
      const connected = connect({ receive, menu, signal: stop.signal });
      running = { stop, ended: connected.then(({ ended }) => ended).catch(() => undefined) };
      await connected;
    },
    stop: async () => {
      takeRequest = undefined;
      unstored.stop();
      running?.stop.abort();
      await Promise.race([running?.ended, sleep(STOP_MS, undefined, { ref: false })]);
    },
    health: () => health.problem?.sentence,
    // Telegram ends a poll when another begins. The first part of a token is the bot's id, which is no secret.
    cluster: {
      highWaterMark,
      ...(!webhook && { partitions: async () => [`telegram:${token.split(":")[0]}`] }),
    },
    ...messages,
    ...(drafts && { draft: createDraft(write, log) }),
    ...(webhook && {
      http: {
        fetch: createWebhook({
          isGenuine: (headers) => showsSecret(headers, secret),
          take: () => takeRequest,
        }),
      },
    }),
  };

  /** Resolves once events come in; `ended` when no more will. */
  async function connect({ receive, menu, signal }: Intake): Promise<{ ended: Promise<void> }> {
    try {
      const bot = await health.insist(() => whoAmI(signal), signal);
      signal.throwIfAborted();
      const take = (update: unknown) => store(update, { bot, receive });
      const hook = webhook && { url: webhook.url, secret_token: secret, allowed_updates: wanted };
      if (hook) {
        takeRequest = (body) => take(JSON.parse(body)).catch(cannotStore);
        await health.insist(() => setWebhook(hook, signal), signal);
      } else {
        await health.insist(() => clearWebhook(signal), signal);
      }
      await registerMenu({ call, menu, log, signal });
      signal.throwIfAborted();
      log.info({ bot: bot.username }, `receiving for @${bot.username} by ${webhook ? "webhook" : "polling"}`);
      const seconds = options.pollSeconds ?? POLL_SECONDS;
      const everyMs = (options.webhookCheckSeconds ?? WEBHOOK_CHECK_SECONDS) * 1000;
      return {
        ended: hook
          ? watchWebhook({ call, health, log, hook, everyMs, signal })
          : poll({ call, health, seconds, wanted, take, signal }),
      };
    } catch (error) {
      if (!signal.aborted) throw error;
      return { ended: Promise.resolve() };
    }
  }

  async function whoAmI(signal: AbortSignal): Promise<Bot> {
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
    throw nonsense("getMe");
  }

  async function setWebhook(hook: object, signal: AbortSignal): Promise<void> {
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

  /** A webhook of earlier days would keep all updates from us. What waits at Telegram stays there for us. */
  async function clearWebhook(signal: AbortSignal): Promise<void> {
    try {
      const info = await call("getWebhookInfo", {}, { signal });
      const url = typeof info === "object" && info && "url" in info ? info.url : "";
      if (url) await call("deleteWebhook", {}, { signal });
    } catch (error) {
      // A server of one's own may not know webhooks at all: should there be one, polling will tell.
      if (!(error instanceof TelegramRefusal) || ![400, 404].includes(error.status)) throw error;
      log.info({}, `whether a webhook is set cannot be asked: ${error.message}`);
    }
  }

  /** The button looks as if it were at work until then. That this fails, or comes too late, does no harm. */
  async function settle(press: string): Promise<void> {
    await call("answerCallbackQuery", { callback_query_id: press }).catch(() => undefined);
  }

  function cannotStore(error: unknown): never {
    log.error({}, `a message from Telegram cannot be stored and waits there: ${describeError(error)}`);
    throw error;
  }

  /** What makes no sense is skipped: sent again, it would make no more sense. */
  async function store(update: unknown, { bot, receive }: { bot: Bot; receive: Receive }): Promise<void> {
    let event: ChatEvent | undefined;
    try {
      event = toEvent(update, bot);
    } catch {
      log.warn({ update: updateId(update) }, "skipped an update from Telegram that makes no sense");
      return;
    }
    if (event) {
      const { chat, question } = readAddress(event.to);
      if (question !== undefined) note(chat, question);
      await unstored.receive(event, receive);
    }
    const press = pressIn(update);
    if (press !== undefined) void settle(press);
  }
}

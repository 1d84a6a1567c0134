import { setTimeout as sleep } from "node:timers/promises";
import type { Adapter, CommandEntry, Pace, Receive } from "../../src/adapter.ts";
import { describeError } from "../../src/errors.ts";
import type { ChatEvent } from "../../src/event.ts";
import { createWebhook } from "../../src/http/webhook.ts";
import { type ApiOptions, createCall, followMoves } from "./api.ts";
import { createTelegramDialect, type RichMode, type TelegramBody } from "./dialect/dialect.ts";
import { type AdapterLog, SILENT_LOG } from "../../src/log.ts";
import { registerMenu } from "./menu.ts";
import { createHealth } from "./receive/health.ts";
import { poll } from "./receive/poll.ts";
import type { Bot } from "./receive/schemas.ts";
import { clearWebhook, setWebhook, whoAmI } from "./receive/setup.ts";
import { createUnstored } from "./receive/unstored.ts";
import { pressIn, toEvent, updateId, wantedUpdates } from "./receive/updates.ts";
import { hasSecret, secretFrom, watchWebhook } from "./receive/webhook.ts";
import { readAddress } from "./send/address.ts";
import { createDraft } from "./send/drafts.ts";
import { createMessages } from "./send/messages.ts";
import { createWrite } from "./send/write.ts";

/** The settings of a Telegram bot. */
export interface TelegramOptions extends ApiOptions {
  /**
   * Receive updates over HTTP at this public URL instead of polling. The default secret is derived from the token.
   */
  readonly webhook?: { readonly url: string; readonly secret?: string };
  /** Which form messages are sent in; `auto` by default. */
  readonly rich?: RichMode;
  /**
   * Whether private chats show a growing answer as a draft with a button to stop it. Drafts need Bot API 9.5, the
   * button needs 10.3.
   */
  readonly drafts?: boolean;
  readonly log?: AdapterLog;
  readonly pace?: Pace;
  /** How long Telegram may hold an empty poll open, in seconds; at most 50, which is the default. */
  readonly pollSeconds?: number;
  /** How often to check that the webhook is set and reachable, in seconds; 60 by default. */
  readonly webhookCheckSeconds?: number;
}

/**
 * Telegram allows one message a second in a chat, 20 a minute in a group and 30 a second overall, edits included
 * (https://core.telegram.org/bots/faq). The overall pace stays below that to leave room for bursts. Drafts have an
 * unpublished limit, and disappear after 30 s (https://core.telegram.org/bots/api#sendmessagedraft).
 */
const PACE: Pace = { direct: 1000, group: 3000, overall: 40, draft: 500, redraft: 20_000 };

/** Telegram's longest poll, in seconds (telegram-bot-api, Client.cpp). */
const POLL_SECONDS = 50;

/** Telegram stores undelivered updates for a day, so a check once a minute is soon enough. */
const WEBHOOK_CHECK_SECONDS = 60;

/** How long a message may remain unstored before the user is notified, in ms. */
const PATIENCE_MS = 10_000;

/** How long `stop()` waits for events that are being stored, in ms. */
const STOP_MS = 3000;

/** The arguments of `start()`, and the signal that `stop()` aborts. */
interface Intake {
  readonly receive: Receive;
  readonly menu: readonly CommandEntry[];
  readonly signal: AbortSignal;
}

/** Creates the Telegram adapter. It polls or serves a webhook, and acknowledges an update only once it is stored. */
export function createTelegram(options: TelegramOptions): Adapter<TelegramBody> {
  const { token, webhook, drafts = false, log = SILENT_LOG } = options;
  const secret = webhook?.secret ?? secretFrom(token);
  const call = createCall(options);
  const callChat = followMoves(call);
  const write = createWrite(callChat, log);
  const wanted = wantedUpdates(drafts);
  const health = createHealth(log);
  const { noteSeen, highWaterMark, ...messages } = createMessages(callChat, write);
  const unstored = createUnstored({
    notify: (event, text) => messages.send(event.to, { text, entities: [] }, `${event.id}#unstored`),
    patienceMs: PATIENCE_MS,
  });
  let running: { stop: AbortController; ended: Promise<void> } | undefined;
  let handleRequest: ((body: string) => Promise<void>) | undefined;

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
      handleRequest = undefined;
      unstored.stop();
      running?.stop.abort();
      await Promise.race([running?.ended, sleep(STOP_MS, undefined, { ref: false })]);
    },
    health: () => health.problem?.sentence,
    // Telegram ends a poll when another one begins. The part of a token before the colon is the bot's public id.
    cluster: {
      highWaterMark,
      ...(!webhook && { partitions: async () => [`telegram:${token.split(":")[0]}`] }),
    },
    ...messages,
    ...(drafts && { draft: createDraft(write, log) }),
    ...(webhook && {
      http: {
        fetch: createWebhook({
          isGenuine: (headers) => hasSecret(headers, secret),
          take: () => handleRequest,
        }),
      },
    }),
  };

  /** Resolves once events can arrive; `ended` resolves when no more will. */
  async function connect({ receive, menu, signal }: Intake): Promise<{ ended: Promise<void> }> {
    try {
      const bot = await health.retry(() => whoAmI(call, signal), signal);
      signal.throwIfAborted();
      const store = (update: unknown) => storeUpdate(update, { bot, receive });
      const hook = webhook && { url: webhook.url, secret_token: secret, allowed_updates: wanted };
      if (hook) {
        handleRequest = (body) => store(JSON.parse(body)).catch(cannotStore);
        await health.retry(() => setWebhook({ call, hook, signal }), signal);
      } else {
        await health.retry(() => clearWebhook({ call, log, signal }), signal);
      }
      await registerMenu({ call, menu, log, signal });
      signal.throwIfAborted();
      log.info({ bot: bot.username }, `receiving for @${bot.username} by ${webhook ? "webhook" : "polling"}`);
      const seconds = options.pollSeconds ?? POLL_SECONDS;
      const everyMs = (options.webhookCheckSeconds ?? WEBHOOK_CHECK_SECONDS) * 1000;
      return {
        ended: hook
          ? watchWebhook({ call, health, log, hook, everyMs, signal })
          : poll({ call, health, seconds, wanted, store, signal }),
      };
    } catch (error) {
      if (!signal.aborted) throw error;
      return { ended: Promise.resolve() };
    }
  }

  /** Skips a malformed update: Telegram would send the same one again. */
  async function storeUpdate(
    update: unknown,
    { bot, receive }: { bot: Bot; receive: Receive },
  ): Promise<void> {
    let event: ChatEvent | undefined;
    try {
      event = toEvent(update, bot);
    } catch {
      log.warn({ update: updateId(update) }, "skipped a malformed update from Telegram");
      return;
    }
    if (event) {
      const { chat, question } = readAddress(event.to);
      if (question !== undefined) noteSeen(chat, question);
      await unstored.receive(event, receive);
    }
    const press = pressIn(update);
    if (press !== undefined) void answerPress(press);
  }

  /** Ends the progress animation of a pressed button. A failure, or a late answer, does no harm. */
  async function answerPress(id: string): Promise<void> {
    await call("answerCallbackQuery", { callback_query_id: id }).catch(() => undefined);
  }

  function cannotStore(error: unknown): never {
    log.error(
      {},
      `could not store a message from Telegram, which will deliver it again: ${describeError(error)}`,
    );
    throw error;
  }
}

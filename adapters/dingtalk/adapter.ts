import type { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Adapter, Pace, Receive } from "../../src/adapter.ts";
import { describeError } from "../../src/errors.ts";
import type { ChatEvent } from "../../src/event.ts";
import { createWebhook } from "../../src/http/webhook.ts";
import { type ApiOptions, createApi } from "./api.ts";
import { type CardTemplate, createCards } from "./send/cards.ts";
import { createSignatures } from "./receive/callback.ts";
import { createDingtalkDialect, type DingtalkBody } from "./dialect/dialect.ts";
import { DingtalkRefusal, wrongCredentials } from "./errors.ts";
import { toEvent } from "./receive/events.ts";
import { createHealth, pauseAfter } from "./receive/health.ts";
import { type AdapterLog, SILENT_LOG } from "../../src/log.ts";
import { createMessages } from "./send/messages.ts";
import { receiveStream } from "./receive/stream.ts";
import { localeOf, texts } from "../../src/i18n/texts.ts";

/** Options of the DingTalk adapter. */
export interface DingtalkOptions extends ApiOptions {
  /** Receive HTTP callbacks at `/webhooks/dingtalk` instead of opening a Stream connection. */
  readonly callback?: boolean;
  /** The agent of a proxy for a URL, if it needs one. */
  readonly agentFor?: (url: string) => Agent | undefined;
  /** Stream answers into cards made from this template, instead of sending complete answers as messages. */
  readonly cardTemplate?: CardTemplate;
  readonly log?: AdapterLog;
  readonly pace?: Pace;
  /** How often to ping the Stream connection, in ms; one that stays silent for this long is replaced. */
  readonly keepAliveMs?: number;
  /** Pause after the first failure to connect, in ms; it doubles with each further one. */
  readonly firstPauseMs?: number;
}

/**
 * A robot may send 20 messages a minute, or it is blocked for ten minutes (open.dingtalk.com, "custom robots"). This is 15
 * a minute, which leaves room for a burst of 5.
 */
const PACE: Pace = { direct: 4000, group: 4000, overall: 4000 };

/** Card calls are limited per second for the whole app, and 20 at once exceed the limit. */
const CARD_PACE: Pace = { direct: 1000, group: 1000, overall: 100 };

/** Ping interval in ms: NATs and proxies drop a silent connection after some minutes. */
const KEEP_ALIVE_MS = 20_000;

const FIRST_PAUSE_MS = 1000;

/** How long `stop` waits for messages that are being stored, in ms. */
const STOP_TIMEOUT_MS = 5000;

/**
 * Creates the adapter for DingTalk, which receives in Stream mode or by HTTP callbacks. A message is acknowledged only
 * once it is stored. Every process may open its own Stream connection: DingTalk delivers each message over one of them.
 */
export function createDingtalk(options: DingtalkOptions): Adapter<DingtalkBody> {
  const { clientId, clientSecret, callback = false, log = SILENT_LOG, agentFor = () => undefined } = options;
  const { cardTemplate } = options;
  const { keepAliveMs = KEEP_ALIVE_MS, firstPauseMs = FIRST_PAUSE_MS } = options;
  const api = createApi(options);
  const health = createHealth(log);
  const messages = createMessages(api);
  const signatures = createSignatures(clientSecret);
  let running: { readonly stop: AbortController; readonly ended: Promise<unknown> } | undefined;
  let receiveCallback: ((data: string) => Promise<void>) | undefined;

  const adapter: Adapter<DingtalkBody> = {
    name: "dingtalk",
    dialect: createDingtalkDialect(),
    pace: options.pace ?? (cardTemplate ? CARD_PACE : PACE),
    start: async (receive) => {
      const stop = new AbortController();
      const connected = connect(receive, stop.signal);
      running = { stop, ended: connected.then(({ ended }) => ended).catch(() => undefined) };
      await connected;
    },
    stop: async () => {
      receiveCallback = undefined;
      running?.stop.abort();
      await Promise.race([running?.ended, sleep(STOP_TIMEOUT_MS, undefined, { ref: false })]);
    },
    health: () => health.problem,
    ...messages,
    ...(cardTemplate
      ? createCards({ api, template: cardTemplate, disable: disableCards, log })
      : { wholeOnly: true }),
    ...(callback && {
      http: {
        fetch: createWebhook({
          isGenuine: (headers) => signatures.isSigned(headers),
          isFirst,
          take: () => receiveCallback,
          // DingTalk posts the answer to the chat, so it must be empty.
          stored: () => Response.json({ msgtype: "empty" }),
        }),
      },
    }),
  };
  return adapter;

  function isFirst(headers: Headers, body: string): boolean {
    if (signatures.isFirst(headers, body)) return true;
    log.warn(
      {},
      "refused a request from DingTalk whose signature was already used: either the request was copied, or two messages were signed in the same millisecond",
    );
    return false;
  }

  /** Switches to messages, as if there were no template. */
  function disableCards(why: string): void {
    log.error(
      {},
      `cards do not work, so answers are sent as messages: ${why}; check DINGTALK_CARD_TEMPLATE, and that the app has the permission to write cards`,
    );
    for (const capability of ["edit", "finish", "recovery"] as const) delete adapter[capability];
    Object.assign(adapter, messages, { wholeOnly: true, pace: options.pace ?? PACE });
  }

  /** Resolves once messages are received; `ended` resolves once they no longer are. */
  async function connect(receive: Receive, signal: AbortSignal): Promise<{ readonly ended: Promise<void> }> {
    const accept = (data: string) => store(data, receive);
    if (!callback) {
      const stream = await receiveStream({
        api,
        health,
        agentFor,
        keepAliveMs,
        firstPauseMs,
        accept,
        signal,
      });
      if (!signal.aborted) log.info({}, "receiving from DingTalk in Stream mode");
      return stream;
    }
    receiveCallback = accept;
    await checkCredentials(signal);
    if (!signal.aborted) log.info({}, "receiving from DingTalk by HTTP callbacks");
    return { ended: Promise.resolve() };
  }

  /** Verifies the credentials at the start: with a wrong secret every callback would be refused without an explanation. */
  async function checkCredentials(signal: AbortSignal): Promise<void> {
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        await api.check(signal);
        return health.recovered();
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof DingtalkRefusal && error.kind === "credentials") throw wrongCredentials(error);
        health.failed(error);
        await sleep(pauseAfter(error, failures, firstPauseMs), undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** Stores a message. An invalid one is skipped, because sending it again would not make it valid. */
  async function store(data: string, receive: Receive): Promise<void> {
    let event: ChatEvent | undefined;
    try {
      event = toEvent(JSON.parse(data), { clientId, isOwn: api.isOwn });
    } catch {
      log.warn({}, "skipped an invalid message from DingTalk");
      return;
    }
    if (!event) return;
    try {
      await receive(event);
    } catch (error) {
      log.error({}, `a message from DingTalk could not be stored: ${describeError(error)}`);
      if (callback) await apologize(event);
      throw error;
    }
  }

  /** Asks the user to send the message again: DingTalk may not repeat a callback, unlike a message of the stream. */
  async function apologize({ id, to, user, text }: ChatEvent): Promise<void> {
    const sentence = texts(localeOf(user.locale, text))("unstored.again");
    const sent = messages.send(to, { title: sentence, text: sentence }, `${id}#unstored`);
    await sent.catch((error: unknown) => log.warn({}, describeError(error)));
  }
}

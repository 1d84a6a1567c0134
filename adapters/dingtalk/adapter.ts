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
import { type Log, SILENCE } from "./log.ts";
import { createMessages } from "./send/messages.ts";
import { receiveStream } from "./receive/stream.ts";

/** How to be a DingTalk robot. */
export interface DingtalkOptions extends ApiOptions {
  /** Receive by HTTP at `/webhooks/dingtalk` instead of over a connection of our own. */
  readonly callback?: boolean;
  /** For a proxy: the agent by which an address is reached. */
  readonly agentFor?: (url: string) => Agent | undefined;
  /** Answers grow in cards made from this template, instead of being sent when they are whole. */
  readonly cardTemplate?: CardTemplate;
  readonly log?: Log;
  readonly pace?: Pace;
  /** How often the connection is tried, in ms; one that stays silent as long is given up. */
  readonly keepAliveMs?: number;
  /** The pause after the first of several failures to connect, in ms; it doubles each time. */
  readonly firstPauseMs?: number;
}

/**
 * 20 messages a minute for each robot, or it is shut for ten (open.dingtalk.com, "custom robots"): 15, and the 5 that
 * may follow at once.
 */
const PACE: Pace = { direct: 4000, group: 4000, overall: 4000 };

/** Calls about cards are counted by the second, and all of an app's together: 20 at once are too many, in ms. */
const CARD_PACE: Pace = { direct: 1000, group: 1000, overall: 100 };

/** Well below the minutes after which NATs and proxies forget a silent connection, in ms. */
const KEEP_ALIVE_MS = 20_000;

/** The pause after a first failure, in ms. */
const FIRST_PAUSE_MS = 1000;

/** How long stopping waits for what is just being stored, in ms. */
const STOP_MS = 5000;

const SAY_AGAIN = {
  en: "I cannot take anything in just now; please send it again in a while.",
  zh: "我现在无法接收消息；请稍后再发一次。",
} as const;

/**
 * DingTalk: receives in Stream mode, or by HTTP callbacks; a message is acknowledged only once it is stored. Stream
 * connections may be many: DingTalk gives each message to one of them, so that every process may have its own.
 */
export function createDingtalk(options: DingtalkOptions): Adapter<DingtalkBody> {
  const { clientId, clientSecret, callback = false, log = SILENCE, agentFor = () => undefined } = options;
  const { cardTemplate } = options;
  const { keepAliveMs = KEEP_ALIVE_MS, firstPauseMs = FIRST_PAUSE_MS } = options;
  const api = createApi(options);
  const health = createHealth(log);
  const messages = createMessages(api);
  const signatures = createSignatures(clientSecret);
  let running: { readonly stop: AbortController; readonly ended: Promise<unknown> } | undefined;
  let takeRequest: ((data: string) => Promise<void>) | undefined;

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
      takeRequest = undefined;
      running?.stop.abort();
      await Promise.race([running?.ended, sleep(STOP_MS, undefined, { ref: false })]);
    },
    health: () => health.problem,
    ...messages,
    ...(cardTemplate ? createCards({ api, template: cardTemplate, forgo, log }) : { wholeOnly: true }),
    ...(callback && {
      http: {
        fetch: createWebhook({
          isGenuine: (headers) => signatures.isSigned(headers),
          isFirst,
          take: () => takeRequest,
          // Whatever else it said would be sent to the person.
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
      "refused a request whose signature by DingTalk has already been used: somebody has copied it, or two messages came in the same millisecond",
    );
    return false;
  }

  /** From now on as if there had never been a template. */
  function forgo(why: string): void {
    log.error(
      {},
      `answers are sent as messages: ${why}; check DINGTALK_CARD_TEMPLATE, and that the app may write cards`,
    );
    for (const capability of ["edit", "finish", "recovery"] as const) delete adapter[capability];
    Object.assign(adapter, messages, { wholeOnly: true, pace: options.pace ?? PACE });
  }

  /** Resolves once events come in; `ended` when no more will. */
  async function connect(receive: Receive, signal: AbortSignal): Promise<{ readonly ended: Promise<void> }> {
    const take = (data: string) => store(data, receive);
    if (!callback) {
      const stream = await receiveStream({ api, health, agentFor, keepAliveMs, firstPauseMs, take, signal });
      if (!signal.aborted) log.info({}, "receiving from DingTalk in Stream mode");
      return stream;
    }
    takeRequest = take;
    await checkCredentials(signal);
    if (!signal.aborted) log.info({}, "receiving from DingTalk by HTTP callback");
    return { ended: Promise.resolve() };
  }

  /** With a wrong secret no request would be taken for DingTalk's, and nobody would know why. */
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

  /** What makes no sense is skipped: sent again, it would make no more sense. */
  async function store(data: string, receive: Receive): Promise<void> {
    let event: ChatEvent | undefined;
    try {
      event = toEvent(JSON.parse(data), { clientId, isOwn: api.isOwn });
    } catch {
      log.warn({}, "skipped a message from DingTalk that makes no sense");
      return;
    }
    if (!event) return;
    try {
      await receive(event);
    } catch (error) {
      log.error({}, `a message from DingTalk cannot be stored: ${describeError(error)}`);
      if (callback) await sayAgain(event);
      throw error;
    }
  }

  /** Nothing says that a callback is made again, as an unacknowledged message in the stream is. */
  async function sayAgain({ id, to, text }: ChatEvent): Promise<void> {
    const sentence = /\p{Script=Han}/u.test(text) ? SAY_AGAIN.zh : SAY_AGAIN.en;
    const told = messages.send(to, { title: sentence, text: sentence }, `${id}#unstored`);
    await told.catch((error: unknown) => log.warn({}, describeError(error)));
  }
}

import { setTimeout as sleep } from "node:timers/promises";

/** An update that the bot has not acknowledged. */
export interface Queued {
  readonly id: number;
  readonly update: object;
}

/** The webhook to deliver updates to. */
export interface Hook {
  readonly url: string;
  readonly secret?: string;
}

/** Delivers updates to a webhook. */
export interface Courier {
  readonly url: string;
  deliver(entry: Queued): void;
  /** The error fields of getWebhookInfo; empty if there was no error. */
  lastError(): object;
  stop(): void;
}

interface CourierOptions {
  /** The pause after the first failure, in ms; it doubles with each failure. Telegram's is 1 s. */
  readonly retryMs: number;
  readonly delivered: (entry: Queued) => void;
}

/** The longest pause, in multiples of the first: Telegram's grow to about a minute (telegram-bot-api, WebhookActor.cpp). */
const MAX_PAUSE = 64;

/**
 * Creates a courier. It delivers one update at a time in each chat, and repeats it until the answer is 2xx. It follows
 * no redirects.
 */
export function createCourier(hook: Hook, { retryMs, delivered }: CourierOptions): Courier {
  /** The last delivery in each chat. */
  const deliveries = new Map<number, Promise<void>>();
  const stop = new AbortController();
  let failure: { date: number; reason: string } | undefined;

  return {
    url: hook.url,
    deliver: (entry) => {
      const chat = chatOf(entry.update);
      const previous = deliveries.get(chat) ?? Promise.resolve();
      deliveries.set(
        chat,
        previous.then(() => postUntilAccepted(entry)),
      );
    },
    lastError: () =>
      failure ? { last_error_date: Math.floor(failure.date / 1000), last_error_message: failure.reason } : {},
    stop: () => stop.abort(),
  };

  async function postUntilAccepted(entry: Queued): Promise<void> {
    for (let attempt = 0; !stop.signal.aborted; attempt += 1) {
      const reason = await post(entry);
      if (reason === undefined) return delivered(entry);
      failure = { date: Date.now(), reason };
      const pauseMs = retryMs * Math.min(2 ** attempt, MAX_PAUSE);
      await sleep(pauseMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  }

  /** Posts the update once; returns the error, or undefined if there was none. */
  async function post({ update }: Queued): Promise<string | undefined> {
    try {
      const response = await fetch(hook.url, {
        method: "POST",
        redirect: "manual",
        headers: {
          "content-type": "application/json",
          ...(hook.secret && { "x-telegram-bot-api-secret-token": hook.secret }),
        },
        body: JSON.stringify(update),
        signal: stop.signal,
      });
      await response.body?.cancel();
      return response.ok
        ? undefined
        : `Wrong response from the webhook: ${response.status} ${response.statusText}`;
    } catch {
      return "Connection failed";
    }
  }
}

/** The id of the chat of an update, which is a field of its content; 0 if there is none. */
function chatOf(update: object): number {
  const [chat] = Object.values(update).flatMap((content: unknown) =>
    typeof content === "object" && content && "chat" in content ? [content.chat] : [],
  );
  return typeof chat === "object" && chat && "id" in chat ? Number(chat.id) : 0;
}

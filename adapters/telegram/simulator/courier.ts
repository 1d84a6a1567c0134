import { setTimeout as sleep } from "node:timers/promises";
import type { Queued } from "./feed.ts";

/** Where updates are to be delivered. */
export interface Hook {
  readonly url: string;
  readonly secret?: string;
}

/** Brings updates to a webhook. */
export interface Courier {
  readonly url: string;
  deliver(entry: Queued): void;
  /** As getWebhookInfo tells it; empty if nothing went wrong yet. */
  lastError(): object;
  stop(): void;
}

interface CourierOptions {
  /** The pause after the first failure, in ms; it doubles each time. Telegram's is 1 s. */
  readonly retryMs: number;
  readonly delivered: (entry: Queued) => void;
}

/** Telegram's pauses grow to about a minute, here in multiples of the first one (telegram-bot-api, WebhookActor.cpp). */
const MAX_PAUSE = 64;

/** Delivers one update at a time in each chat, again and again until the answer is 2xx; no redirects. */
export function createCourier(hook: Hook, { retryMs, delivered }: CourierOptions): Courier {
  const lanes = new Map<number, Promise<void>>();
  const over = new AbortController();
  let failure: { date: number; reason: string } | undefined;

  return {
    url: hook.url,
    deliver: (entry) => {
      const lane = chatOf(entry.update);
      lanes.set(
        lane,
        (lanes.get(lane) ?? Promise.resolve()).then(() => insist(entry)),
      );
    },
    lastError: () =>
      failure ? { last_error_date: Math.floor(failure.date / 1000), last_error_message: failure.reason } : {},
    stop: () => over.abort(),
  };

  async function insist(entry: Queued): Promise<void> {
    for (let attempt = 0; !over.signal.aborted; attempt += 1) {
      const reason = await post(entry);
      if (reason === undefined) return delivered(entry);
      failure = { date: Date.now(), reason };
      const pauseMs = retryMs * Math.min(2 ** attempt, MAX_PAUSE);
      await sleep(pauseMs, undefined, { signal: over.signal }).catch(() => undefined);
    }
  }

  /** What went wrong; undefined if nothing did. */
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
        signal: over.signal,
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

/** Whatever an update tells of says in which chat it was. */
function chatOf(update: object): number {
  const [chat] = Object.values(update).flatMap((told: unknown) =>
    typeof told === "object" && told && "chat" in told ? [told.chat] : [],
  );
  return typeof chat === "object" && chat && "id" in chat ? Number(chat.id) : 0;
}

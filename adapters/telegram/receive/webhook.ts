import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { isSame } from "../../../src/http/is-same.ts";
import type { Call } from "../api.ts";
import { foreignWebhook, malformedAnswer, undelivered } from "../errors.ts";
import type { Health } from "./health.ts";
import type { AdapterLog } from "../../../src/log.ts";

/** The default secret. Every process derives the same one from the token, but the token cannot be derived from it. */
export function secretFrom(token: string): string {
  return createHash("sha256").update(`colloquy webhook ${token}`).digest("hex");
}

/** Whether the request carries the secret, as every request of Telegram does. */
export function hasSecret(headers: Headers, secret: string): boolean {
  return isSame(headers.get("x-telegram-bot-api-secret-token") ?? "", secret);
}

export interface WatchOptions {
  readonly call: Call;
  readonly health: Health;
  readonly log: AdapterLog;
  /** The fields of `setWebhook`. */
  readonly hook: { readonly url: string };
  /** How often to check, in ms. */
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

/**
 * How long an error counts as current, in ms. Telegram retries after at most 120 s (telegram-bot-api,
 * WebhookActor.cpp), so an older error is over.
 */
const MAX_ERROR_AGE_MS = 150_000;

/** The state of a webhook: https://core.telegram.org/bots/api#webhookinfo. */
const Info = z.object({
  url: z.string(),
  pending_update_count: z.int().catch(0),
  last_error_date: z.int().catch(0),
  last_error_message: z.string().catch(""),
});

/**
 * Checks the webhook until the signal aborts, as Telegram reports none of its problems. A removed webhook is set again.
 * A webhook with another URL, or one that Telegram cannot deliver to, becomes the problem of `health`.
 */
export async function watchWebhook(options: WatchOptions): Promise<void> {
  const { call, health, log, hook, everyMs, signal } = options;
  while (!signal.aborted) {
    await sleep(everyMs * (1 + Math.random() / 4), undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) await health.retry(check, signal).catch(unlessStopped);
  }

  async function check(): Promise<void> {
    const info = Info.safeParse(await call("getWebhookInfo", {}, { signal })).data;
    if (!info) throw malformedAnswer("getWebhookInfo");
    if (info.url === "") return setAgain("the Telegram webhook was removed");
    if (!sameUrl(info.url, hook.url)) throw foreignWebhook();
    const isRecent = Date.now() - info.last_error_date * 1000 < MAX_ERROR_AGE_MS;
    if (!isRecent || info.pending_update_count === 0) return;
    // 401 is this program's own answer to a request without the secret.
    if (/\b401\b/.test(info.last_error_message))
      return setAgain("another program has set the Telegram webhook with another secret");
    throw undelivered(info.last_error_message);
  }

  async function setAgain(why: string): Promise<void> {
    log.warn({}, `${why}; setting it again`);
    await call("setWebhook", hook, { signal });
  }

  function unlessStopped(error: unknown): void {
    if (!signal.aborted) throw error;
  }
}

function sameUrl(one: string, other: string): boolean {
  const plain = (url: string) => (URL.canParse(url) ? new URL(url).href : url);
  return plain(one) === plain(other);
}

import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { isSame } from "../../../src/http/is-same.ts";
import type { Call } from "../api.ts";
import { foreignWebhook, nonsense, undelivered } from "../errors.ts";
import type { Health } from "./health.ts";
import type { Log } from "../log.ts";

/** A secret that every process with this token comes to, and from which the token cannot be told. */
export function secretFrom(token: string): string {
  return createHash("sha256").update(`colloquy webhook ${token}`).digest("hex");
}

/** Telegram shows the secret with every request. */
export function showsSecret(headers: Headers, secret: string): boolean {
  return isSame(headers.get("x-telegram-bot-api-secret-token") ?? "", secret);
}

export interface WatchOptions {
  readonly call: Call;
  readonly health: Health;
  readonly log: Log;
  /** The fields of setWebhook. */
  readonly hook: { readonly url: string };
  /** How often to look, in ms. */
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

/** Telegram tries again at most 120 s later (telegram-bot-api, WebhookActor.cpp): an error older than this, in ms, is over. */
const ERROR_LASTS_MS = 150_000;

/** What Telegram tells about a webhook: https://core.telegram.org/bots/api#webhookinfo. */
const Info = z.object({
  url: z.string(),
  pending_update_count: z.int().catch(0),
  last_error_date: z.int().catch(0),
  last_error_message: z.string().catch(""),
});

/**
 * Looks after the webhook until the signal aborts: one that is gone is set again; one that leads elsewhere, or to
 * which nothing can be delivered, is a trouble. Telegram itself tells nobody.
 */
export async function watchWebhook(options: WatchOptions): Promise<void> {
  const { call, health, log, hook, everyMs, signal } = options;
  while (!signal.aborted) {
    await sleep(everyMs * (1 + Math.random() / 4), undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) await health.insist(look, signal).catch(unlessStopped);
  }

  async function look(): Promise<void> {
    const info = Info.safeParse(await call("getWebhookInfo", {}, { signal })).data;
    if (!info) throw nonsense("getWebhookInfo");
    if (info.url === "") return setAgain("somebody has taken the Telegram webhook away");
    if (!sameUrl(info.url, hook.url)) throw foreignWebhook();
    const isRecent = Date.now() - info.last_error_date * 1000 < ERROR_LASTS_MS;
    if (!isRecent || info.pending_update_count === 0) return;
    // That was our own answer to a request without the secret.
    if (/\b401\b/.test(info.last_error_message))
      return setAgain("somebody has set the Telegram webhook with another secret");
    throw undelivered(info.last_error_message);
  }

  async function setAgain(why: string): Promise<void> {
    log.warn({}, `${why}; it is set again`);
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

import { setTimeout as pause } from "node:timers/promises";
import { InteractionResponseType, Routes } from "discord.js";
import type { Logger } from "pino";
import type { Receive } from "../../../src/adapter.ts";
import { describeError, PlatformError } from "../../../src/errors.ts";
import type { Api } from "../api.ts";
import { codes } from "../errors.ts";
import type { InteractionEvent } from "./events.ts";

/** Who takes an interaction in, and how Discord is told. */
export interface Reception {
  readonly receive: Receive;
  readonly api: Api;
  readonly log: Pick<Logger, "warn" | "error"> | undefined;
}

/** How long storing may take before Discord is told nevertheless, in ms: a third of the 3 s that there are. */
const STORE_PATIENCE_MS = 1000;
/** When the last attempt to tell Discord begins, in ms after the interaction came. */
const LAST_ATTEMPT_MS = 2500;
/** How long one attempt may take, in ms: then the next one may get through, and Discord counts only the first. */
const ATTEMPT_MS = 1000;
const RETRY_MS = 100;

const NO_PINGS = { parse: [] };
const sorry = {
  en: "I could not take this in; please send it again.",
  zh: "这条消息没有收下,请再发送一次。",
} as const;

/** What a person reads whose message could not be stored; in both languages if theirs is unknown. */
export function sorryIn(locale: string | undefined): string {
  if (!locale) return `${sorry.en}\n${sorry.zh}`;
  return locale.toLowerCase().startsWith("zh") ? sorry.zh : sorry.en;
}

/**
 * Stores a slash command and then tells Discord that the answer comes later. If the store is slow Discord is
 * told first, as it waits for 3 s at most; if the store fails the person is told. Never rejects.
 */
export async function takeInteraction(interaction: InteractionEvent, reception: Reception): Promise<void> {
  const { api, log } = reception;
  const came = Date.now();
  const stored = store(interaction, reception);
  const apology = { content: sorryIn(interaction.event.user.locale), allowed_mentions: NO_PINGS };
  const first = await soonest(stored, STORE_PATIENCE_MS);
  if (first === false) {
    const type = InteractionResponseType.ChannelMessageWithSource;
    return respond(interaction, { type, data: apology }, { ...reception, came });
  }
  const type = InteractionResponseType.DeferredChannelMessageWithSource;
  await respond(interaction, { type, data: { allowed_mentions: NO_PINGS } }, { ...reception, came });
  if (await stored) return;
  const route = Routes.webhookMessage(interaction.application, interaction.token, "@original");
  const action = "tell that a slash command was lost";
  await api({ method: "PATCH", route, body: apology, auth: false, action }).catch((error: unknown) =>
    log?.warn(describeError(error)),
  );
}

async function store({ event }: InteractionEvent, { receive, log }: Reception): Promise<boolean> {
  try {
    await receive(event);
    return true;
  } catch (error) {
    log?.error(`A slash command could not be stored: ${describeError(error)}`);
    return false;
  }
}

/** The promise's value, or undefined if it takes longer than `ms`. */
async function soonest<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const limit = new AbortController();
  const late = pause(ms, undefined, { signal: limit.signal }).catch(() => undefined);
  const value = await Promise.race([promise, late]);
  limit.abort();
  return value;
}

/** Responds to an interaction; tries again while there is time, as a second response does no harm. */
async function respond(
  { id, token }: InteractionEvent,
  body: object,
  { api, log, came }: Reception & { came: number },
): Promise<void> {
  const route = Routes.interactionCallback(id, token);
  for (;;) {
    try {
      const action = "respond to a slash command";
      await api({ method: "POST", route, body, auth: false, action, timeoutMs: ATTEMPT_MS });
      return;
    } catch (error) {
      // An attempt whose answer was lost had arrived, or an earlier process has responded.
      if (isAcknowledged(error)) return;
      const wait = waitBefore(error);
      if (wait === undefined || Date.now() + wait > came + LAST_ATTEMPT_MS) {
        log?.warn(`A slash command stays without a response: ${describeError(error)}`);
        return;
      }
      await pause(wait);
    }
  }
}

/**
 * Defers an interaction that has no response though its answer is there, as the process ended in between. False
 * if it is too late.
 */
export async function deferLate(api: Api, { id, token }: { id: string; token: string }): Promise<boolean> {
  const body = {
    type: InteractionResponseType.DeferredChannelMessageWithSource,
    data: { allowed_mentions: NO_PINGS },
  };
  try {
    const route = Routes.interactionCallback(id, token);
    await api({ method: "POST", route, body, auth: false, action: "respond to a slash command" });
    return true;
  } catch (error) {
    return isAcknowledged(error);
  }
}

function isAcknowledged(error: unknown): boolean {
  return error instanceof PlatformError && error.code === codes.acknowledged;
}

function waitBefore(error: unknown): number | undefined {
  if (!(error instanceof PlatformError) || error.permanent || error.gone) return undefined;
  return error.retryAfterMs ?? RETRY_MS;
}

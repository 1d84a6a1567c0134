import type { ChatEvent } from "../../../src/event.ts";
import { setTimeout as pause } from "node:timers/promises";
import { InteractionResponseType, Routes } from "discord.js";
import type { AdapterLog } from "../../../src/log.ts";
import type { Receive } from "../../../src/adapter.ts";
import { describeError, PlatformError } from "../../../src/errors.ts";
import type { Api } from "../api.ts";
import { codes } from "../errors.ts";
import type { InteractionAddress, InteractionEvent } from "./events.ts";
import { localeOf, texts } from "../../../src/i18n/texts.ts";

/** What receiving an interaction needs. */
interface ReceiveContext {
  readonly receive: Receive;
  readonly api: Api;
  readonly log: AdapterLog | undefined;
}

/** How long to wait for the store before deferring anyway, in ms: a third of the 3 s that Discord allows. */
const STORE_TIMEOUT_MS = 1000;
/** When the last attempt to respond may begin, in ms after the interaction arrived. */
const LAST_ATTEMPT_MS = 2500;
/** Time limit of one attempt, in ms. The next may get through, and Discord ignores a second response. */
const ATTEMPT_MS = 1000;
const RETRY_MS = 100;

const NO_PINGS = { parse: [] };
/** What a user reads whose message could not be stored. */
export function apologyTo({ user, text }: ChatEvent): string {
  return texts(localeOf(user.locale, text))("unstored.again");
}

/**
 * Stores a slash command and then defers its answer. If the store is slow it defers first, because Discord waits for at
 * most 3 s; if the store fails, the user gets an apology. Never rejects.
 */
export async function receiveInteraction(
  interaction: InteractionEvent,
  context: ReceiveContext,
): Promise<void> {
  const { api, log } = context;
  const arrivedAt = Date.now();
  const stored = store(interaction, context);
  const apology = { content: apologyTo(interaction.event), allowed_mentions: NO_PINGS };
  const inTime = await withTimeout(stored, STORE_TIMEOUT_MS);
  if (inTime === false) {
    const type = InteractionResponseType.ChannelMessageWithSource;
    return respond(interaction, { type, data: apology }, { ...context, arrivedAt });
  }
  const type = InteractionResponseType.DeferredChannelMessageWithSource;
  await respond(interaction, { type, data: { allowed_mentions: NO_PINGS } }, { ...context, arrivedAt });
  if (await stored) return;
  const route = Routes.webhookMessage(interaction.application, interaction.token, "@original");
  const action = "apologize for a lost slash command";
  await api({ method: "PATCH", route, body: apology, auth: false, action }).catch((error: unknown) =>
    log?.warn(describeError(error)),
  );
}

async function store({ event }: InteractionEvent, { receive, log }: ReceiveContext): Promise<boolean> {
  try {
    await receive(event);
    return true;
  } catch (error) {
    log?.error(`A slash command could not be stored: ${describeError(error)}`);
    return false;
  }
}

/** Resolves to the promise's value, or to undefined if it takes longer than `ms`. */
async function withTimeout<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const limit = new AbortController();
  const late = pause(ms, undefined, { signal: limit.signal }).catch(() => undefined);
  const value = await Promise.race([promise, late]);
  limit.abort();
  return value;
}

/** Responds to an interaction, and retries while there is time: a second response does no harm. */
async function respond(
  { id, token }: InteractionEvent,
  body: object,
  { api, log, arrivedAt }: ReceiveContext & { arrivedAt: number },
): Promise<void> {
  const route = Routes.interactionCallback(id, token);
  for (;;) {
    try {
      const action = "respond to a slash command";
      await api({ method: "POST", route, body, auth: false, action, timeoutMs: ATTEMPT_MS });
      return;
    } catch (error) {
      // An earlier attempt or an earlier process has responded already.
      if (isCode(error, codes.acknowledged)) return;
      const wait = waitBefore(error);
      if (wait === undefined || Date.now() + wait > arrivedAt + LAST_ATTEMPT_MS) {
        log?.warn(`A slash command got no response in time: ${describeError(error)}`);
        return;
      }
      await pause(wait);
    }
  }
}

/**
 * Runs a request on an interaction's messages. If there is no response yet, because the process died between storing the
 * command and responding to it, this defers the interaction and runs the request again.
 */
export async function withDeferral<T>(
  api: Api,
  { id, interaction: token }: InteractionAddress,
  request: () => Promise<T>,
): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (!id || !isCode(error, codes.unknownWebhook)) throw error;
    if (!(await deferLate(api, { id, token }))) throw error;
    return request();
  }
}

/** Defers an interaction; returns false if it is too late for that. */
async function deferLate(api: Api, { id, token }: { id: string; token: string }): Promise<boolean> {
  const body = {
    type: InteractionResponseType.DeferredChannelMessageWithSource,
    data: { allowed_mentions: NO_PINGS },
  };
  try {
    const route = Routes.interactionCallback(id, token);
    await api({ method: "POST", route, body, auth: false, action: "respond to a slash command" });
    return true;
  } catch (error) {
    return isCode(error, codes.acknowledged);
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof PlatformError && error.code === code;
}

function waitBefore(error: unknown): number | undefined {
  if (!(error instanceof PlatformError) || error.permanent || error.gone) return undefined;
  return error.retryAfterMs ?? RETRY_MS;
}

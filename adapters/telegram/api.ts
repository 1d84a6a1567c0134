import type http from "node:http";
import { Telegram } from "telegraf";
import { PlatformError } from "../../src/errors.ts";
import { TelegramRefusal, toRefusal } from "./errors.ts";

/** Calls a method of the Bot API. Rejects with a `TelegramRefusal`, or with the signal's reason when it aborts. */
export type Call = (method: string, fields?: object, options?: CallOptions) => Promise<unknown>;

interface CallOptions {
  readonly signal?: AbortSignal;
  /** How long to wait for the answer, in ms; 30 s by default. */
  readonly timeoutMs?: number;
}

export interface ApiOptions {
  /** The token from @BotFather. */
  readonly token: string;
  /** The URL of the Bot API server; https://api.telegram.org by default. */
  readonly apiRoot?: string;
  /** The agent of an HTTP proxy. */
  readonly agent?: http.Agent;
}

/** telegraf's client without its types, which end at Bot API 7.1 and use an incompatible AbortSignal. */
interface Client {
  callApi(method: string, fields: object, options: object): Promise<unknown>;
}

/** telegraf's own timeout is 500 s: a dead connection would go unnoticed for that long. */
const CALL_MS = 30_000;

/** Creates a client of the Bot API. telegraf is used as transport only. */
export function createCall({ token, apiRoot, agent }: ApiOptions): Call {
  const client: Client = new Telegram(token, {
    webhookReply: false,
    // Without a trailing slash the last segment of the path would be dropped.
    ...(apiRoot && { apiRoot: apiRoot.endsWith("/") ? apiRoot : `${apiRoot}/` }),
  });
  // Set afterwards because the constructor drops the agent if apiRoot is http://.
  if (agent) Object.assign(Reflect.get(client, "options") as object, { agent });

  return async (method, fields = {}, { signal, timeoutMs = CALL_MS } = {}) => {
    signal?.throwIfAborted();
    // Not AbortSignal.any: a signal never forgets its dependants, and this one lives as long as the bot.
    const either = new AbortController();
    const abort = () => either.abort();
    const timer = setTimeout(abort, timeoutMs);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return await client.callApi(method, fields, { signal: either.signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw toRefusal(error, { method, token, fields });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  };
}

/**
 * Wraps a `Call` so that it follows a group which became a supergroup: the call is repeated with the new chat id.
 * Message ids start over in the supergroup. The old messages stay in the old group, and can no longer be edited or
 * quoted.
 */
export function followMoves(call: Call): Call {
  return async (method, fields = {}, options) => {
    try {
      return await call(method, fields, options);
    } catch (error) {
      if (!(error instanceof TelegramRefusal) || error.movedTo === undefined) throw error;
      if ("message_id" in fields)
        throw new PlatformError(error.code, error.message, { gone: true, cause: error });
      const moved = { ...fields, reply_parameters: undefined, chat_id: error.movedTo };
      return call(method, moved, options);
    }
  };
}

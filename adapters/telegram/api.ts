import type http from "node:http";
import { Telegram } from "telegraf";
import { PlatformError } from "../../src/errors.ts";
import { TelegramRefusal, toRefusal } from "./errors.ts";

/** One call of the Bot API; rejects with a `TelegramRefusal`, or with the signal's reason when it aborts. */
export type Call = (method: string, fields?: object, options?: CallOptions) => Promise<unknown>;

interface CallOptions {
  readonly signal?: AbortSignal;
  /** How long to wait for the answer, in ms; 30 s by default. */
  readonly timeoutMs?: number;
}

export interface ApiOptions {
  /** As @BotFather gives it. */
  readonly token: string;
  /** Where the Bot API answers; https://api.telegram.org by default. */
  readonly apiRoot?: string;
  /** For a proxy. */
  readonly agent?: http.Agent;
}

/** telegraf's client, free of its types: those end at Bot API 7.1 and know another AbortSignal. */
interface Client {
  callApi(method: string, fields: object, options: object): Promise<unknown>;
}

/** telegraf itself would wait 500 s, which is how long a dead connection goes unnoticed. */
const CALL_MS = 30_000;

/** The Bot API through telegraf, used as transport only. */
export function createCall({ token, apiRoot, agent }: ApiOptions): Call {
  const client: Client = new Telegram(token, {
    webhookReply: false,
    // Without the slash at its end the last part of a path would be dropped.
    ...(apiRoot && { apiRoot: apiRoot.endsWith("/") ? apiRoot : `${apiRoot}/` }),
  });
  // Set afterwards: the constructor drops the agent where apiRoot is http://.
  if (agent) Object.assign(Reflect.get(client, "options") as object, { agent });

  return async (method, fields = {}, { signal, timeoutMs = CALL_MS } = {}) => {
    signal?.throwIfAborted();
    // Not AbortSignal.any: a signal remembers for good what was made from it, and this one lives as long as the bot.
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
 * The same calls, but a group that became a supergroup is another chat from then on. Its messages are counted anew:
 * those of the old group have stayed there and can be neither changed nor quoted any more.
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

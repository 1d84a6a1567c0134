import { z } from "zod";
import { DingtalkRefusal, refusedByApi, refusedByWebhook, unanswered } from "./errors.ts";

/** How the app shows who it is, and where. */
export interface ApiOptions {
  /** The app's client id, once called AppKey. */
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where the open API answers; https://api.dingtalk.com by default. */
  readonly apiRoot?: string;
}

/** DingTalk's open API; every call rejects with a `DingtalkRefusal`, or with the signal's reason. */
export interface Api {
  /** A call with the access token; `action` says in errors what it was for. */
  call(request: ApiRequest): Promise<unknown>;
  /** Says something by a session webhook, which needs no token. */
  post(webhook: string, fields: object): Promise<void>;
  /** Where to connect to, once; needs no token. */
  openConnection(signal: AbortSignal): Promise<{ readonly endpoint: string; readonly ticket: string }>;
  /** Whether the credentials are accepted: rejects if not. */
  check(signal: AbortSignal): Promise<void>;
  /** Whether a webhook is DingTalk's own: what is said goes nowhere else, whoever has made up a message. */
  readonly isOwn: (webhook: string) => boolean;
}

export interface ApiRequest {
  readonly method?: "POST" | "PUT";
  readonly path: string;
  readonly fields: object;
  readonly action: string;
}

/** DingTalk's own root of the open API. */
const API_ROOT = "https://api.dingtalk.com";

/** What the stream is to bring: messages to the robot. */
export const TOPIC_ROBOT = "/v1.0/im/bot/messages/get";

/** How long an answer is waited for, in ms. */
const CALL_MS = 20_000;

/** A token lives for two hours; this long before its end another is asked for, in ms. */
const TOKEN_MARGIN_MS = 300_000;

const Token = z.object({ accessToken: z.string().min(1), expireIn: z.number().catch(0) });
const Connection = z.object({ endpoint: z.url({ protocol: /^wss?$/ }), ticket: z.string().min(1) });
const Said = z.object({ errcode: z.int(), errmsg: z.string().catch("") });

/** The open API over fetch, which takes a proxy by itself. */
export function createApi({ clientId, clientSecret, apiRoot = API_ROOT }: ApiOptions): Api {
  const root = apiRoot.replace(/(?<!\/)\/+$/, "");
  const tokens = createTokens(() =>
    post("get an access token", "/v1.0/oauth2/accessToken", { appKey: clientId, appSecret: clientSecret }),
  );

  return {
    call: async (request) => {
      const token = await tokens.get();
      try {
        return await callWith(token, request);
      } catch (error) {
        // Refused, so nothing was done: the token was taken back before its time.
        if (!(error instanceof DingtalkRefusal) || error.kind !== "credentials") throw error;
        tokens.forget(token);
        return callWith(await tokens.get(), request);
      }
    },
    post: async (webhook, fields) => {
      const action = "send a message by the session webhook";
      const { status, body } = await exchange({ url: webhook, fields, action });
      const said = Said.safeParse(body).data;
      if (said?.errcode === 0) return;
      if (said) throw refusedByWebhook(said.errcode, said.errmsg, fields);
      throw status < 300
        ? unanswered(action, "the answer makes no sense")
        : refusedByApi(action, { status, body, fields });
    },
    openConnection: async (signal) => {
      const action = "open a stream connection";
      const fields = {
        clientId,
        clientSecret,
        ua: "colloquy",
        subscriptions: [{ type: "CALLBACK", topic: TOPIC_ROBOT }],
      };
      const given = Connection.safeParse(
        await post(action, "/v1.0/gateway/connections/open", fields, signal),
      ).data;
      if (given) return given;
      throw unanswered(action, "the answer makes no sense");
    },
    check: async (signal) => {
      signal.throwIfAborted();
      await tokens.get();
    },
    isOwn: (webhook) => {
      if (!URL.canParse(webhook)) return false;
      const { protocol, hostname, origin } = new URL(webhook);
      return (
        origin === new URL(root).origin || (protocol === "https:" && /(^|\.)dingtalk\.com$/.test(hostname))
      );
    },
  };

  function post(action: string, path: string, fields: object, signal?: AbortSignal): Promise<unknown> {
    return succeed({ url: root + path, fields, action, ...(signal && { signal }) });
  }

  function callWith(token: string, { method = "POST", path, fields, action }: ApiRequest): Promise<unknown> {
    return succeed({
      url: root + path,
      method,
      fields,
      action,
      headers: { "x-acs-dingtalk-access-token": token },
    });
  }
}

/** The access token, asked for once by all who need it at the same time. */
function createTokens(ask: () => Promise<unknown>) {
  let known: { readonly token: string; readonly until: number } | undefined;
  let asking: Promise<string> | undefined;
  return {
    get: async () => (known && Date.now() < known.until ? known.token : (asking ??= renew())),
    forget: (token: string) => {
      if (known?.token === token) known = undefined;
    },
  };

  async function renew(): Promise<string> {
    try {
      const answer = Token.safeParse(await ask()).data;
      if (!answer) throw unanswered("get an access token", "the answer makes no sense");
      known = { token: answer.accessToken, until: Date.now() + answer.expireIn * 1000 - TOKEN_MARGIN_MS };
      return answer.accessToken;
    } finally {
      asking = undefined;
    }
  }
}

interface Exchange {
  readonly url: string;
  readonly method?: string;
  readonly fields: object;
  readonly action: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The body of an answer of status 2xx; everything else is a refusal. */
async function succeed(request: Exchange): Promise<unknown> {
  const { status, body, retryAfter } = await exchange(request);
  if (status < 300) return body;
  throw refusedByApi(request.action, { status, body, retryAfter, fields: request.fields });
}

async function exchange({ url, method = "POST", fields, action, headers, signal }: Exchange) {
  signal?.throwIfAborted();
  // Not AbortSignal.any: a signal remembers for good what was made from it, and this one lives as long as the bot.
  const either = new AbortController();
  const abort = () => either.abort();
  const timer = setTimeout(abort, CALL_MS);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const response = await fetch(url, {
      method,
      redirect: "error",
      // Without `accept` the gateway answers in XML.
      headers: { "content-type": "application/json", accept: "application/json", ...headers },
      body: JSON.stringify(fields),
      signal: either.signal,
    });
    const text = await response.text();
    const { status } = response;
    const body = parse(text);
    // A refusal may be a page of a gateway in between; a success may not.
    if (response.ok && body === undefined)
      throw unanswered(action, "the answer is not JSON (a captive portal or a proxy?)");
    return { status, body, retryAfter: response.headers.get("retry-after") };
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof DingtalkRefusal ? error : unanswered(action, error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

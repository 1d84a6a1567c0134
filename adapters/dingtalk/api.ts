import { z } from "zod";
import { DingtalkRefusal, refusedByApi, refusedByWebhook, unanswered } from "./errors.ts";

/** How to reach DingTalk's open API, and with which credentials. */
export interface ApiOptions {
  /** The app's client id, formerly called AppKey. */
  readonly clientId: string;
  readonly clientSecret: string;
  /** Root of the open API; https://api.dingtalk.com if absent. */
  readonly apiRoot?: string;
}

/** DingTalk's open API. Every method rejects with a `DingtalkRefusal`, or with the signal's reason. */
export interface Api {
  /** Calls the API with the access token and resolves to the answer's body. */
  call(request: ApiRequest): Promise<unknown>;
  /** Posts a message by a session webhook, which needs no token. */
  post(webhook: string, fields: object): Promise<void>;
  /** Requests the endpoint and the ticket of one Stream connection; needs no token. */
  openConnection(signal: AbortSignal): Promise<{ readonly endpoint: string; readonly ticket: string }>;
  /** Rejects if DingTalk does not accept the credentials. */
  check(signal: AbortSignal): Promise<void>;
  /** Whether a webhook belongs to DingTalk: a forged message must not redirect answers to another host. */
  readonly isOwn: (webhook: string) => boolean;
}

export interface ApiRequest {
  readonly method?: "POST" | "PUT";
  readonly path: string;
  readonly fields: object;
  /** What the call does, for error messages: "send a card". */
  readonly action: string;
}

const API_ROOT = "https://api.dingtalk.com";

/** The topic of the stream: messages to the robot. */
export const TOPIC_ROBOT = "/v1.0/im/bot/messages/get";

/** How long to wait for an answer, in ms. */
const CALL_TIMEOUT_MS = 20_000;

/** How long before its end an access token is renewed, in ms; it is valid for two hours. */
const TOKEN_MARGIN_MS = 300_000;

const Token = z.object({ accessToken: z.string().min(1), expireIn: z.number().catch(0) });
const Connection = z.object({ endpoint: z.url({ protocol: /^wss?$/ }), ticket: z.string().min(1) });
const WebhookAnswer = z.object({ errcode: z.int(), errmsg: z.string().catch("") });

/** Creates a client of the open API. It uses the global `fetch`, which follows the proxy settings. */
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
        // The token was revoked early. The call was refused and did nothing, so it can be repeated with a new token.
        if (!(error instanceof DingtalkRefusal) || error.kind !== "credentials") throw error;
        tokens.forget(token);
        return callWith(await tokens.get(), request);
      }
    },
    post: async (webhook, fields) => {
      const action = "send a message by the session webhook";
      const { status, body } = await exchange({ url: webhook, fields, action });
      const answer = WebhookAnswer.safeParse(body).data;
      if (answer?.errcode === 0) return;
      if (answer) throw refusedByWebhook(answer.errcode, answer.errmsg, fields);
      throw status < 300
        ? unanswered(action, "the answer is invalid")
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
      const connection = Connection.safeParse(
        await post(action, "/v1.0/gateway/connections/open", fields, signal),
      ).data;
      if (connection) return connection;
      throw unanswered(action, "the answer is invalid");
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
    return requestBody({ url: root + path, fields, action, ...(signal && { signal }) });
  }

  function callWith(token: string, { method = "POST", path, fields, action }: ApiRequest): Promise<unknown> {
    return requestBody({
      url: root + path,
      method,
      fields,
      action,
      headers: { "x-acs-dingtalk-access-token": token },
    });
  }
}

/** Caches the access token; concurrent callers share one request for it. */
function createTokens(request: () => Promise<unknown>) {
  let known: { readonly token: string; readonly until: number } | undefined;
  let renewal: Promise<string> | undefined;
  return {
    get: async () => (known && Date.now() < known.until ? known.token : (renewal ??= renew())),
    forget: (token: string) => {
      if (known?.token === token) known = undefined;
    },
  };

  async function renew(): Promise<string> {
    try {
      const answer = Token.safeParse(await request()).data;
      if (!answer) throw unanswered("get an access token", "the answer is invalid");
      known = { token: answer.accessToken, until: Date.now() + answer.expireIn * 1000 - TOKEN_MARGIN_MS };
      return answer.accessToken;
    } finally {
      renewal = undefined;
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

/** Resolves to the body of an answer with status 2xx; any other status is a refusal. */
async function requestBody(request: Exchange): Promise<unknown> {
  const { status, body, retryAfter } = await exchange(request);
  if (status < 300) return body;
  throw refusedByApi(request.action, { status, body, retryAfter, fields: request.fields });
}

async function exchange({ url, method = "POST", fields, action, headers, signal }: Exchange) {
  signal?.throwIfAborted();
  // Not AbortSignal.any: a signal keeps everything derived from it, and this one lives as long as the bot.
  const either = new AbortController();
  const abort = () => either.abort();
  const timer = setTimeout(abort, CALL_TIMEOUT_MS);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const response = await fetch(url, {
      method,
      redirect: "error",
      // Without `accept` DingTalk's gateway answers in XML.
      headers: { "content-type": "application/json", accept: "application/json", ...headers },
      body: JSON.stringify(fields),
      signal: either.signal,
    });
    const text = await response.text();
    const { status } = response;
    const body = parse(text);
    // An error may come from a gateway in between, as an HTML page; a success must be JSON.
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

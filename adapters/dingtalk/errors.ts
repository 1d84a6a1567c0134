import { z } from "zod";
import { textsIn, withoutEcho } from "../../src/sanitize/echo.ts";
import { ConfigError, PlatformError, type PlatformErrorDetails } from "../../src/errors.ts";

/**
 * Why a request failed.
 *
 * - `unreachable`: there was no valid answer; DingTalk may have carried out the request.
 * - `credentials`: DingTalk does not accept the client id and secret, or a token made from them.
 * - `busy`: the rate limit is reached, or DingTalk asks to try again.
 * - `session`: the session webhook has ended; the robot API still works.
 * - `refused`: the same request would be refused again.
 */
export type RefusalKind = "unreachable" | "credentials" | "busy" | "session" | "refused";

/** A request that DingTalk refused or did not answer. It never contains a secret, a session webhook or a message's text. */
export class DingtalkRefusal extends PlatformError {
  readonly kind: RefusalKind;

  constructor(kind: RefusalKind, message: string, details: PlatformErrorDetails & { code: string }) {
    super(`dingtalk_${details.code}`, message, details);
    this.kind = kind;
  }
}

/** An error answer of the open API: `{"code", "message", "requestid"}`. */
const Answer = z.object({ code: z.string().catch(""), message: z.string().catch("") });

/** Codes for a wrong client id or secret, from the gateway and the token endpoint, and for a token that is not accepted. */
const CREDENTIALS = /^(authFailed|invalidClient)|InvalidAuthentication/i;

/** Codes of rate limits, such as `Forbidden.AccessDenied.QpsLimitForAppkeyAndApi` with status 403. */
const RATE_LIMIT = /QpsLimit|FlowControl|Throttl/i;

/** Wait after a rate limit of the API, which counts by the second, in ms. */
const API_PAUSE_MS = 1000;

/** Wait after a robot's limit of 20 messages a minute, in ms. */
export const MINUTE_MS = 60_000;

/** An error answer, with the fields of the request, which the error must not repeat. */
export interface Refused {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter?: string | null;
  readonly fields: object;
}

/** The error for an error answer of the open API. */
export function refusedByApi(action: string, { status, body, retryAfter, fields }: Refused): DingtalkRefusal {
  const { code = "", message = "" } = Answer.safeParse(body).data ?? {};
  const reason =
    [clean(code, fields), clean(message, fields)].filter(Boolean).join(", ") || "no reason given";
  const kind = kindOf(status, code);
  const seconds = Number(retryAfter ?? Number.NaN);
  return new DingtalkRefusal(kind, `DingTalk refused to ${action} (${status}): ${reason}${adviceFor(kind)}`, {
    code: String(status),
    permanent: kind === "refused",
    ...(kind === "busy" &&
      status < 500 && { retryAfterMs: seconds >= 0 ? Math.min(seconds, 3600) * 1000 : API_PAUSE_MS }),
  });
}

function kindOf(status: number, code: string): RefusalKind {
  if (status === 429 || RATE_LIMIT.test(code)) return "busy";
  if (status >= 500 || status === 408) return "unreachable";
  return status === 401 || CREDENTIALS.test(code) ? "credentials" : "refused";
}

function adviceFor(kind: RefusalKind): string {
  if (kind === "credentials") return "; check DINGTALK_CLIENT_ID and DINGTALK_CLIENT_SECRET";
  if (kind === "refused")
    return "; check that the app is published, that its robot receives in the mode of DINGTALK_MODE, and that it may send messages";
  return "";
}

/**
 * Error codes in a webhook's answer, which has status 200. -1: busy, try again; 130101 and 410100: too many messages a
 * minute; 300001: the session has ended (agentscope-ai/QwenPaw #2221).
 */
const ERRCODES: Readonly<Record<number, RefusalKind>> = {
  [-1]: "busy",
  130_101: "busy",
  410_100: "busy",
  300_001: "session",
};

/** The error for a session webhook's answer with an `errcode` other than 0. */
export function refusedByWebhook(errcode: number, errmsg: string, fields: object): DingtalkRefusal {
  const kind = ERRCODES[errcode] ?? "refused";
  return new DingtalkRefusal(
    kind,
    `DingTalk refused a message by the session webhook (errcode ${errcode}): ${clean(errmsg, fields) || "no reason given"}`,
    {
      code: `errcode_${errcode}`,
      permanent: kind === "refused" || kind === "session",
      ...(kind === "busy" && { retryAfterMs: errcode === -1 ? API_PAUSE_MS : MINUTE_MS }),
    },
  );
}

/** The error for a request that got no answer, or an invalid one. */
export function unanswered(action: string, error: unknown): DingtalkRefusal {
  return new DingtalkRefusal(
    "unreachable",
    `DingTalk did not answer the request to ${action}: ${reasonOf(error)}; check the network, HTTPS_PROXY and DINGTALK_API_ROOT`,
    { code: "unreachable" },
  );
}

/** The error for the operator if DingTalk does not accept the credentials. */
export function wrongCredentials(refusal: DingtalkRefusal): ConfigError {
  return new ConfigError(
    "dingtalk_credentials",
    `${refusal.message}. Copy both from the page "Credentials and basic information" of your app on open-dev.dingtalk.com.`,
  );
}

/** The reason of a failed connection. It uses the codes of fetch and ws: their messages may quote the URL, a credential. */
function reasonOf(error: unknown): string {
  if (typeof error === "string") return error;
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    if (inner.name === "AbortError" || inner.name === "TimeoutError") return "no answer in time";
    if ("code" in inner && typeof inner.code === "string") return inner.code;
  }
  return "the connection failed";
}

/** Cuts DingTalk's text to 200 characters, without links and quotations: they may be credentials or a message's text. */
function clean(text: string, fields: object): string {
  // oxlint-disable-next-line regexp/no-super-linear-move -- an unclosed quotation extends to the end, so nothing is matched twice
  const unquoted = text.replace(/(?<!\w)\w+:\/\/\S+/g, "[link]").replace(/".*"|".*$/s, '"…"');
  return withoutEcho(unquoted, textsIn(fields)).slice(0, 200);
}

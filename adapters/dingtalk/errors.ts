import { z } from "zod";
import { textsIn, withoutEcho } from "../../src/sanitize/echo.ts";
import { ConfigError, PlatformError, type PlatformErrorDetails } from "../../src/errors.ts";

/**
 * - `unreachable`: no answer that makes sense; what was asked for may have been done.
 * - `credentials`: neither the client id and secret nor what was made from them is accepted.
 * - `busy`: too much at once, or DingTalk itself asks to come again.
 * - `session`: the session webhook is no more; the robot API is the other way.
 * - `refused`: the same again would be refused again.
 */
export type RefusalKind = "unreachable" | "credentials" | "busy" | "session" | "refused";

/** A request that DingTalk refused or did not answer; never holds a secret, a session webhook or what was to be said. */
export class DingtalkRefusal extends PlatformError {
  readonly kind: RefusalKind;

  constructor(kind: RefusalKind, message: string, details: PlatformErrorDetails & { code: string }) {
    super(`dingtalk_${details.code}`, message, details);
    this.kind = kind;
  }
}

/** How the open API says no: `{"code", "message", "requestid"}`. */
const Answer = z.object({ code: z.string().catch(""), message: z.string().catch("") });

/** A wrong client id or secret, as the gateway and the token's endpoint call it, and a token that is not accepted. */
const CREDENTIALS = /^(authFailed|invalidClient)|InvalidAuthentication/i;

/** Codes such as `Forbidden.AccessDenied.QpsLimitForAppkeyAndApi`, with status 403. */
const TOO_MUCH = /QpsLimit|FlowControl|Throttl/i;

/** Calls are counted by the second; in ms. */
const API_PAUSE_MS = 1000;

/** A robot may send 20 messages a minute: after a minute there is room again, in ms. */
export const MINUTE_MS = 60_000;

/** What the open API has answered, and what it was asked with. */
export interface Refused {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter?: string | null;
  readonly fields: object;
}

/** What the open API has answered instead of a result. */
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
  if (status === 429 || TOO_MUCH.test(code)) return "busy";
  if (status >= 500 || status === 408) return "unreachable";
  return status === 401 || CREDENTIALS.test(code) ? "credentials" : "refused";
}

function adviceFor(kind: RefusalKind): string {
  if (kind === "credentials") return "; check DINGTALK_CLIENT_ID and DINGTALK_CLIENT_SECRET";
  if (kind === "refused")
    return "; check that the app is published, its robot receives in the mode that DINGTALK_MODE says, and it may send messages";
  return "";
}

/**
 * Numbers that a webhook answers with, in a response of status 200. -1: busy, come again; 130101 and 410100: too many
 * messages a minute; 300001: the session is no more (agentscope-ai/QwenPaw #2221).
 */
const ERRCODES: Readonly<Record<number, RefusalKind>> = {
  [-1]: "busy",
  130_101: "busy",
  410_100: "busy",
  300_001: "session",
};

/** What a session webhook has answered instead of `errcode` 0. */
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

/** There was no answer, or none that makes sense. */
export function unanswered(action: string, error: unknown): DingtalkRefusal {
  return new DingtalkRefusal(
    "unreachable",
    `DingTalk did not answer the request to ${action}: ${reasonOf(error)}; check the network, HTTPS_PROXY and DINGTALK_API_ROOT`,
    { code: "unreachable" },
  );
}

/** The operator must look up the credentials again. */
export function wrongCredentials(refusal: DingtalkRefusal): ConfigError {
  return new ConfigError(
    "dingtalk_credentials",
    `${refusal.message}. Copy both from the page "Credentials and basic information" of your app on open-dev.dingtalk.com.`,
  );
}

/** Fetch and ws name the cause in a code; a message of theirs may quote the URL, which is a credential. */
function reasonOf(error: unknown): string {
  if (typeof error === "string") return error;
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    if (inner.name === "AbortError" || inner.name === "TimeoutError") return "no answer in time";
    if ("code" in inner && typeof inner.code === "string") return inner.code;
  }
  return "the connection failed";
}

/** At most 200 characters, without links and without quotations: those may be credentials, or what was said. */
function clean(words: string, fields: object): string {
  // oxlint-disable-next-line regexp/no-super-linear-move -- what is not closed goes to the end: nothing is tried twice
  const unquoted = words.replace(/(?<!\w)\w+:\/\/\S+/g, "[link]").replace(/".*"|".*$/s, '"…"');
  return withoutEcho(unquoted, textsIn(fields)).slice(0, 200);
}

import { TelegramError } from "telegraf";
import { z } from "zod";
import { textsIn, withoutEcho } from "../../src/sanitize/echo.ts";
import { PlatformError, type PlatformErrorDetails } from "../../src/errors.ts";

/** A call that Telegram refused or did not answer; never holds the token or what was to be said. */
export class TelegramRefusal extends PlatformError {
  /** Telegram's error code, the same as the HTTP status; 0 if there was no answer that makes sense. */
  readonly status: number;
  /** Telegram's own words, without anything quoted; to look for something in, as they may repeat what was to be said. */
  readonly description: string;
  /** The group has become a supergroup with this id: the call must go there. */
  readonly movedTo: number | undefined;

  constructor(refusal: Refused, message: string, details: PlatformErrorDetails) {
    super(`telegram_${refusal.status || "unreachable"}`, message, details);
    this.status = refusal.status;
    this.description = refusal.description;
    this.movedTo = refusal.movedTo;
  }
}

type Refused = Pick<TelegramRefusal, "status" | "description"> & { readonly movedTo?: number | undefined };

/** How Telegram says no: https://core.telegram.org/bots/api#making-requests and #responseparameters. */
const Answer = z.object({
  error_code: z.int().min(400).max(599),
  description: z.string().catch(""),
  parameters: z
    .object({
      retry_after: z.number().nonnegative().optional().catch(undefined),
      migrate_to_chat_id: z.int().optional().catch(undefined),
    })
    .catch({}),
});

/** Refusals that may end without the message being changed: a token renewed, another poller gone, a flood over. */
const PASSING = new Set([401, 404, 408, 409, 429]);

/** What nobody waits longer for: a timer of more than 24.8 days would go off at once. */
const MAX_WAIT_MS = 86_400_000;

/** The message to be edited or removed is out of reach, and always will be. */
const GONE = /message to (edit|delete) not found|message can't be edited|MESSAGE_ID_INVALID/i;

interface Request {
  readonly method: string;
  readonly token: string;
  readonly fields: object;
}

/** What telegraf threw, as an error that is safe to log: its own hold the URL with the token, and the text. */
export function toRefusal(error: unknown, request: Request): TelegramRefusal {
  const answer = error instanceof TelegramError ? Answer.safeParse(error.response).data : undefined;
  return answer ? refused(answer, request) : unanswered(request.method, reasonOf(error, request.token));
}

/**
 * Whether the server is older than rich messages (Bot API 10.1): such a one does not know `sendRichMessage`, and
 * of `editMessageText` it does not see the field, and misses the text.
 */
export function knowsNoRich({ status, description }: TelegramRefusal): boolean {
  return status === 404 || (status === 400 && /message text is empty/i.test(description));
}

/** Whether the reason may be what a rich message holds, and not where it is to go. */
export function refusesRich({ status, description }: TelegramRefusal): boolean {
  return status === 400 && !GONE.test(description) && !/not found|not modified/i.test(description);
}

/** An answer that cannot be what the method promises. */
export function nonsense(method: string): TelegramRefusal {
  return unanswered(method, "the answer makes no sense");
}

/** Another webhook stands where ours should. */
export function foreignWebhook(): TelegramRefusal {
  const description = "Conflict: another webhook is set";
  return new TelegramRefusal({ status: 409, description }, description, {});
}

/** Telegram reaches the webhook, or its answers, in vain; `reason` in Telegram's words. */
export function undelivered(reason: string): TelegramRefusal {
  const description = clean(reason, "") || "for an unknown reason";
  return new TelegramRefusal(
    { status: 0, description },
    `Telegram cannot deliver to the webhook: ${description}; check that TELEGRAM_WEBHOOK_URL leads to this program, by HTTPS with a valid certificate`,
    {},
  );
}

function refused(answer: z.infer<typeof Answer>, { method, token, fields }: Request): TelegramRefusal {
  const { error_code: status, parameters } = answer;
  const description = clean(answer.description, token);
  const gone = status === 400 && GONE.test(description);
  const seconds = parameters.retry_after;
  return new TelegramRefusal(
    { status, description, movedTo: parameters.migrate_to_chat_id },
    `Telegram refused ${method} (${status}): ${withoutEcho(description, textsIn(fields))}${adviceFor(status)}`,
    {
      gone,
      permanent: status < 500 && !gone && !PASSING.has(status),
      ...(seconds !== undefined && { retryAfterMs: Math.min(seconds * 1000, MAX_WAIT_MS) }),
    },
  );
}

function adviceFor(status: number): string {
  if (status === 401) return "; ask @BotFather for a new token and set TELEGRAM_BOT_TOKEN";
  if (status === 409) return "; only one program may receive with this bot's token";
  return "";
}

function unanswered(method: string, reason: string): TelegramRefusal {
  return new TelegramRefusal(
    { status: 0, description: reason },
    `Telegram did not answer ${method}: ${reason}; check the network, HTTPS_PROXY and TELEGRAM_API_ROOT`,
    {},
  );
}

/** Why there was no answer; node-fetch writes the URL, hence the token, before "reason:". */
function reasonOf(error: unknown, token: string): string {
  if (!(error instanceof Error)) return "unknown failure";
  if (error.name === "AbortError") return "no answer in time";
  if ("type" in error && error.type === "invalid-json")
    return "the answer is not JSON (a captive portal or a proxy?)";
  if (error instanceof TelegramError || error instanceof TypeError) return "the answer makes no sense";
  const reason = /reason: (.+)$/s.exec(error.message)?.[1];
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  return reason ? clean(reason, token) : code;
}

/** At most 200 characters, without the token, and without quotations: those come from what was said. */
function clean(words: string, token: string): string {
  return (
    (token ? words.replaceAll(token, "[token]") : words)
      // oxlint-disable-next-line regexp/no-super-linear-move -- what is not closed goes to the end: nothing is tried twice
      .replace(/".*"|".*$/s, '"…"')
      // oxlint-disable-next-line regexp/no-super-linear-move -- what is not closed goes to the end: nothing is tried twice
      .replace(/(?<![a-z])'.*'(?![a-z])|(?<![a-z])'.*$/is, "'…'")
      .slice(0, 200)
  );
}

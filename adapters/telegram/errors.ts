import { TelegramError } from "telegraf";
import { z } from "zod";
import { textsIn, withoutEcho } from "../../src/sanitize/echo.ts";
import { PlatformError, type PlatformErrorDetails } from "../../src/errors.ts";

/** A call that Telegram refused or did not answer. The message never contains the token or the text to be sent. */
export class TelegramRefusal extends PlatformError {
  /** Telegram's error code, which equals the HTTP status; 0 if there was no valid answer. */
  readonly status: number;
  /** Telegram's description without quotations. For matching only: it may repeat parts of the text to be sent. */
  readonly description: string;
  /** The id of the supergroup that the group has become: repeat the call there. */
  readonly movedTo: number | undefined;

  constructor(refusal: Refused, message: string, details: PlatformErrorDetails) {
    super(`telegram_${refusal.status || "unreachable"}`, message, details);
    this.status = refusal.status;
    this.description = refusal.description;
    this.movedTo = refusal.movedTo;
  }
}

type Refused = Pick<TelegramRefusal, "status" | "description"> & { readonly movedTo?: number | undefined };

/** A refusal: https://core.telegram.org/bots/api#making-requests and #responseparameters. */
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

/** Refusals that can end without changing the message: the token is renewed, another poller stops, a flood passes. */
const TRANSIENT = new Set([401, 404, 408, 409, 429]);

/** The longest accepted `retry_after`, one day. A timer of more than 24.8 days would fire at once. */
const MAX_WAIT_MS = 86_400_000;

/** Refusals of an edit or a deletion that are permanent: the message cannot be reached any more. */
const GONE = /message to (edit|delete) not found|message can't be edited|MESSAGE_ID_INVALID/i;

interface Request {
  readonly method: string;
  readonly token: string;
  readonly fields: object;
}

/** Converts telegraf's error to one that is safe to log: telegraf's contains the token in its URL, and the text. */
export function toRefusal(error: unknown, request: Request): TelegramRefusal {
  const answer = error instanceof TelegramError ? Answer.safeParse(error.response).data : undefined;
  return answer ? refused(answer, request) : unanswered(request.method, reasonOf(error, request.token));
}

/**
 * Whether the server predates rich messages (Bot API 10.1). Such a server has no `sendRichMessage`, and its
 * `editMessageText` ignores the field and complains about the missing text.
 */
export function lacksRich({ status, description }: TelegramRefusal): boolean {
  return status === 404 || (status === 400 && /message text is empty/i.test(description));
}

/** Whether the refusal may be due to the content of a rich message, and not to its destination. */
export function refusesRich({ status, description }: TelegramRefusal): boolean {
  return status === 400 && !GONE.test(description) && !/not found|not modified/i.test(description);
}

/** The error for an answer that does not have the shape that the method promises. */
export function malformedAnswer(method: string): TelegramRefusal {
  return unanswered(method, MALFORMED);
}

const MALFORMED = "the answer is malformed";

/** The error for a webhook that another program has set. */
export function foreignWebhook(): TelegramRefusal {
  const description = "Conflict: another webhook is set";
  return new TelegramRefusal({ status: 409, description }, description, {});
}

/** The error for a webhook that Telegram cannot deliver to; `reason` is Telegram's description. */
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
      permanent: status < 500 && !gone && !TRANSIENT.has(status),
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

/** Why there was no answer. node-fetch writes the URL, which contains the token, before "reason:". */
function reasonOf(error: unknown, token: string): string {
  if (!(error instanceof Error)) return "unknown failure";
  if (error.name === "AbortError") return "no answer in time";
  if ("type" in error && error.type === "invalid-json")
    return "the answer is not JSON (a captive portal or a proxy?)";
  if (error instanceof TelegramError || error instanceof TypeError) return MALFORMED;
  const reason = /reason: (.+)$/s.exec(error.message)?.[1];
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  return reason ? clean(reason, token) : code;
}

/** Cuts a description to 200 characters and removes the token and all quotations, which come from messages. */
function clean(description: string, token: string): string {
  return (
    (token ? description.replaceAll(token, "[token]") : description)
      // oxlint-disable-next-line regexp/no-super-linear-move -- an unclosed quotation extends to the end: nothing is tried twice
      .replace(/".*"|".*$/s, '"…"')
      // oxlint-disable-next-line regexp/no-super-linear-move -- an unclosed quotation extends to the end: nothing is tried twice
      .replace(/(?<![a-z])'.*'(?![a-z])|(?<![a-z])'.*$/is, "'…'")
      .slice(0, 200)
  );
}

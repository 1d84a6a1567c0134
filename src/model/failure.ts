import { onlyCommon, withoutEcho } from "../sanitize/echo.ts";
import { ModelError, type ModelErrorCode, type ModelErrorDetails, type Tries } from "../errors.ts";

/** An answer of the service that is no stream of pieces; thrown through the openai package, which would lose the body. */
export class Refusal extends Error {
  // The package looks for "timed out" in messages of foreign errors and then drops them: so nothing is said here.
  override readonly name = "Refusal";
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;

  constructor(status: number, headers: Headers, body: string) {
    super();
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

/** Whom the errors are about. */
export interface Service {
  readonly model: string;
  /** Host and port, no more: a base URL may hold credentials. */
  readonly host: string;
  /** Taken out of every message, should the service repeat it. */
  readonly key: string;
}

/** What the service says about a failure, in whichever of the usual shapes. */
interface Complaint {
  readonly message: string;
  readonly code: string;
  readonly type: string;
  /** The field of the request that it is about. */
  readonly param: string;
}

/** Failures that pass by themselves; everything else would fail again. */
const PASSING: ReadonlySet<ModelErrorCode> = new Set(["busy", "unreachable", "bad_answer", "cut", "stalled"]);

/** What the operator can do about it. */
const ADVICE: Readonly<Record<ModelErrorCode, string>> = {
  key: "Check OPENAI_API_KEY and that the key may use this model.",
  revoked: "Make a new key at the service, and see to the account there.",
  quota: "Add credit at the service, or use another key.",
  busy: "Ask again later, or raise the limits at the service.",
  unreachable: "Check OPENAI_BASE_URL, the network and the proxy, and the service's status.",
  stalled: "Ask again; if it happens often, the service is overloaded or the model too large for it.",
  cut: "Ask again.",
  blind: "Ask without images, or use a model that can look at them.",
  too_long: "Send less, or use a model with a larger context.",
  filtered: "The service's content filter decided; ask in other words.",
  not_found: "Check OPENAI_MODEL and OPENAI_BASE_URL.",
  bad_request: "Check that the service speaks OpenAI's chat completions and knows this model.",
  bad_answer: "Check OPENAI_BASE_URL: a proxy, a login page or another program may be answering.",
  empty: "Ask again, or use another model.",
};

/** Whether trying again may help. */
export function passes(error: ModelError): boolean {
  return PASSING.has(error.code);
}

/** The error that the model throws: what happened, to what, and what to do; without the key. */
export function modelError(code: ModelErrorCode, what: string, about: About): ModelError {
  const { service, ...details } = about;
  const said = brief(withoutSecrets(what.slice(0, MAX_READ), service.key)).replace(/(?<![\s.])[\s.]+$/, "");
  return new ModelError(
    code,
    `The model ${service.model} at ${service.host} ${said}. ${ADVICE[code]}`,
    details,
  );
}

interface About extends ModelErrorDetails {
  readonly service: Service;
}

/** An error after which nothing more is tried, and what was. */
export function givenUp(
  { code, message, cause, status, retryAfterMs }: ModelError,
  tries: Tries,
): ModelError {
  return new ModelError(code, message, {
    tries,
    ...(cause === undefined ? {} : { cause }),
    ...(status === undefined ? {} : { status }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/**
 * Any error that came out of a request, sorted. What the service said is no cause: it may repeat the key. Nor does it
 * repeat what was `sent`, in which is all that the service knows of a conversation.
 */
export function explain(error: unknown, service: Service, sent = ""): ModelError {
  if (error instanceof ModelError) return error;
  const refusal = refusalOf(error);
  if (refusal) return explainRefusal(refusal, service, sent);
  if (error instanceof SyntaxError) return modelError("bad_answer", "sent broken JSON", { service });
  const said = complaintIn(error);
  if (!said)
    return modelError("unreachable", `cannot be reached: ${reasonOf(error)}`, { service, cause: error });
  const status = /^[45]\d\d$/.test(said.code) ? { status: Number(said.code) } : {};
  const code = sort(status.status, said);
  // What the service has written and not sent, it may quote here.
  const words = said.message && code !== "filtered" ? `: ${onlyCommon(said.message)}` : "";
  const what = `broke off with an error${namesIn(said, sent)}${words}`;
  return modelError(code, what, { service, ...status });
}

/** The refusal that hides in an error of the openai package. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  return error instanceof Error && error.cause instanceof Refusal ? error.cause : undefined;
}

/** What a service says that does not take the images of a request; undefined if that is not why it refuses. */
export function refusalOfImages(
  error: unknown,
  sent: string,
): { readonly status: number; readonly said: string } | undefined {
  const refusal = refusalOf(error);
  if (!refusal || NOT_BLIND.has(refusal.status) || !BLIND.test(refusal.body)) return undefined;
  return { status: refusal.status, said: wordsOf("blind", readComplaint(refusal.body), sent) };
}

function explainRefusal({ status, headers, body }: Refusal, service: Service, sent: string): ModelError {
  const said = readComplaint(body);
  const code = sort(status, said);
  const retryAfterMs = readRetryAfter(headers);
  const words = `${namesIn(said, sent)}${wordsOf(code, said, sent)}`;
  const what =
    status < 400 ? `answered with something that is no stream${words}` : `refused (${status})${words}`;
  return modelError(code, what, { service, status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
}

/** The names that programs know an error by, and the field that it is about. */
function namesIn({ code, type, param }: Complaint, sent: string): string {
  const names = [code || type, param].filter((name) => NAME.test(name) && !/^\d+$/.test(name));
  return names.length > 0 ? ` [${withoutEcho(names.join(", "), sent)}]` : "";
}

const NAME = /^[a-z0-9][\w.[\]-]{0,60}$/i;

/** What a content filter says is about what was said, in whatever words; of everything else the echo is taken out. */
function wordsOf(code: ModelErrorCode, { message }: Complaint, sent: string): string {
  return message && code !== "filtered" ? `: ${withoutEcho(message, sent)}` : "";
}

/** An error in the middle of the stream: the package hands over what stood in its `error` field. */
function complaintIn(error: unknown): Complaint | undefined {
  if (!(error instanceof Error) || !("error" in error) || !error.error) return undefined;
  return fieldsOf(error.error);
}

/** `{error: {…}}` (OpenAI), `{error: "…"}` (Ollama), `[{error: …}]` (Gemini), the fields themselves (old vLLM), or no JSON. */
function readComplaint(body: string): Complaint {
  try {
    const json: unknown = JSON.parse(body);
    const first: unknown = Array.isArray(json) ? json[0] : json;
    return fieldsOf(isRecord(first) && first["error"] ? first["error"] : first);
  } catch {
    const text = body.replace(/<(script|style)\b.*?<\/\1>/gis, " ").replace(/<[^<>]*>/g, " ");
    return { message: text, code: "", type: "", param: "" };
  }
}

function fieldsOf(said: unknown): Complaint {
  if (!isRecord(said)) return { message: asText(said), code: "", type: "", param: "" };
  const message = said["message"] ?? said["detail"] ?? said;
  const field = (name: string) => asText(said[name]);
  return { message: asText(message), code: field("code"), type: field("type"), param: field("param") };
}

/** What kind of failure it is; the wording beats the status, for services use statuses as they like. */
function sort(status: number | undefined, said: Complaint): ModelErrorCode {
  const words = `${said.code} ${said.type} ${said.message}`;
  if (status === 402 || QUOTA.test(words)) return "quota";
  if (status === 413 || (status === 429 ? TOO_LARGE : TOO_LONG).test(words)) return "too_long";
  if (FILTERED.test(words)) return "filtered";
  if (status === 404 || status === 405 || said.code === "model_not_found") return "not_found";
  if ((status === 401 || status === 403) && REVOKED.test(words)) return "revoked";
  if (status === 401 || status === 403 || /api[ _-]?key[ _-](not[ _-]valid|invalid)/i.test(words))
    return "key";
  if (status === 409 || status === 429 || status === 503 || status === 529 || BUSY.test(words)) return "busy";
  if (status === undefined || status === 408 || status >= 500) return "unreachable";
  return status < 400 ? "bad_answer" : "bad_request";
}

const QUOTA =
  /insufficient_quota|exceeded your current quota|insufficient (balance|credit)|billing_hard_limit/i;
const REVOKED = /deactivated|revoked|expired|disabled|suspended|terminated/i;
/** OpenAI: context_length_exceeded; llama.cpp: exceed_context_size_error; vLLM and others only say it. */
const TOO_LONG =
  /context_length_exceeded|exceed_context_size|maximum context|context (size|window|length)|too many (input )?tokens|(prompt|input) (is )?too long/i;
/**
 * "image_url is only supported by certain models" (OpenAI), "does not support image input" (Ollama), "is not a multimodal
 * model" (vLLM), "unknown variant `image_url`" (DeepSeek); with it, that an image cannot be read.
 */
const BLIND = /\bimage|multi-?modal|\bvision\b/i;
/** Refusals that are about whoever asks, whatever their words. */
const NOT_BLIND: ReadonlySet<number> = new Set([401, 402, 403, 429]);
/** A rate limit that no waiting helps against: one request is more than a minute may have. */
const TOO_LARGE = /request too large|must be reduced/i;
const FILTERED = /content_filter|content_policy|content management policy|data_inspection_failed/i;
const BUSY = /rate_limit|overloaded/i;

/** `retry-after-ms`, or `retry-after` in seconds or as a date; in ms. */
function readRetryAfter(headers: Headers): number | undefined {
  const ms = Number.parseFloat(headers.get("retry-after-ms") ?? "");
  if (ms >= 0) return ms;
  const after = headers.get("retry-after") ?? "";
  const seconds = Number(after || Number.NaN);
  if (seconds >= 0) return seconds * 1000;
  const date = Date.parse(after);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** The innermost cause says what really happened ("fetch failed" does not). */
function reasonOf(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  if (!(inner instanceof Error)) return String(inner);
  return inner.message || ("code" in inner ? String(inner.code) : inner.name);
}

function withoutSecrets(text: string, key: string): string {
  // OpenAI repeats a wrong key with stars in its middle: its beginning and its end are secrets too.
  // oxlint-disable-next-line regexp/no-super-linear-move -- The caller passes at most MOST_READ characters: 10 ms.
  const masked = text.replace(/\bsk-[\w*.-]+|Bearer\s+\S+|\S*\*{3,}\S*/g, "…");
  return key.length > 3 ? masked.replaceAll(key, "…") : masked;
}

/** Of what a service says; some send whole pages. */
const MAX_CHARACTERS = 400;

/** So many characters are searched for secrets: the search takes quadratic time where there are no blanks. */
const MAX_READ = 4000;

function brief(said: string): string {
  const text = said.replace(/\s+/g, " ").trim();
  return text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text;
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? "").replace(/^""$/, "");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

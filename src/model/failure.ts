import { onlyCommon, withoutEcho } from "../sanitize/echo.ts";
import { ModelError, type ModelErrorCode, type ModelErrorDetails, type Tries } from "../errors.ts";
import { classify, mayRefuseImages } from "./classify.ts";
import {
  type ErrorFields,
  parseErrorFields,
  parseRetryAfter,
  type ServiceRefusal,
  refusalOf,
  streamErrorFields,
} from "./refusal.ts";

/** The service that an error comes from. */
export interface Service {
  readonly model: string;
  /** Host and port only: a base URL may contain credentials. */
  readonly host: string;
  /** Removed from every message, in case the service repeats it. */
  readonly key: string;
}

/** Errors that usually pass by themselves; all others would occur again. */
const TRANSIENT: ReadonlySet<ModelErrorCode> = new Set([
  "busy",
  "unreachable",
  "bad_answer",
  "cut",
  "stalled",
]);

/** What to do about an error. */
const ADVICE: Readonly<Record<ModelErrorCode, string>> = {
  key: "Check OPENAI_API_KEY, and that the key may use this model.",
  revoked: "Create a new key at the service, and check the state of the account there.",
  quota: "Add credit at the service, or use another key.",
  busy: "Try again later, or ask the service for higher limits.",
  unreachable: "Check OPENAI_BASE_URL, the network, the proxy and the status of the service.",
  stalled: "Try again. If it happens often, the service is overloaded or the model too large for it.",
  cut: "Try again.",
  blind: "Ask without images, or use a model that accepts images.",
  too_long: "Shorten the question, or use a model with a larger context.",
  filtered: "The content filter of the service rejected the conversation. Rephrase the question.",
  not_found: "Check OPENAI_MODEL and OPENAI_BASE_URL.",
  bad_request: "Check that the service supports OpenAI's chat completions and this model.",
  bad_answer: "Check OPENAI_BASE_URL: a proxy, a login page or another program may be answering.",
  empty: "Try again, or use another model.",
};

/** Whether another attempt may succeed. */
export function isTransientFailure(error: ModelError): boolean {
  return TRANSIENT.has(error.code);
}

/** Creates an error from a predicate such as "cannot be reached". The key is removed from its message. */
export function modelError(code: ModelErrorCode, predicate: string, context: ErrorContext): ModelError {
  const { service, ...details } = context;
  const what = brief(withoutSecrets(predicate.slice(0, MAX_SEARCHED), service.key));
  return new ModelError(
    code,
    `The model ${service.model} at ${service.host} ${what.replace(/(?<![\s.])[\s.]+$/, "")}. ${ADVICE[code]}`,
    details,
  );
}

interface ErrorContext extends ModelErrorDetails {
  readonly service: Service;
}

/** A copy of an error with the attempts that were made before giving up. */
export function withTries(
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
 * Turns any error of a request into a `ModelError`. The service's error does not become its `cause`, as it may repeat
 * the key. Its text is quoted without what it repeats of `sent`, the text of the request.
 */
export function toModelError(error: unknown, service: Service, sent = ""): ModelError {
  if (error instanceof ModelError) return error;
  const refusal = refusalOf(error);
  if (refusal) return refused(refusal, service, sent);
  if (error instanceof SyntaxError) return modelError("bad_answer", "sent invalid JSON", { service });
  const fields = streamErrorFields(error);
  if (!fields)
    return modelError("unreachable", `cannot be reached: ${reasonOf(error)}`, { service, cause: error });
  const status = /^[45]\d\d$/.test(fields.code) ? { status: Number(fields.code) } : {};
  const code = classify(status.status, fields);
  // The service may quote text here that it has generated but not sent.
  const quoted = fields.message && code !== "filtered" ? `: ${onlyCommon(fields.message)}` : "";
  return modelError(code, `ended the answer with an error${namesIn(fields, sent)}${quoted}`, {
    service,
    ...status,
  });
}

/** The error if a request was refused because of its images; undefined if it was refused for another reason. */
export function imagesRefused(error: unknown, service: Service, sent: string): ModelError | undefined {
  const refusal = refusalOf(error);
  if (!refusal || !mayRefuseImages(refusal)) return undefined;
  const { status, body } = refusal;
  const quoted = quote("blind", parseErrorFields(body), sent);
  return modelError("blind", `refused the images (${status})${quoted}`, { service, status });
}

function refused({ status, headers, body }: ServiceRefusal, service: Service, sent: string): ModelError {
  const fields = parseErrorFields(body);
  const code = classify(status, fields);
  const retryAfterMs = parseRetryAfter(headers);
  const what = status < 400 ? "sent a response that is not a stream" : `refused the request (${status})`;
  return modelError(code, `${what}${namesIn(fields, sent)}${quote(code, fields, sent)}`, {
    service,
    status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** The identifiers of an error, and the field that caused it. */
function namesIn({ code, type, param }: ErrorFields, sent: string): string {
  const names = [code || type, param].filter((name) => NAME.test(name) && !/^\d+$/.test(name));
  return names.length > 0 ? ` [${withoutEcho(names.join(", "), sent)}]` : "";
}

const NAME = /^[a-z0-9][\w.[\]-]{0,60}$/i;

/** The message of an error. That of a content filter is left out, as it may paraphrase the conversation. */
function quote(code: ModelErrorCode, { message }: ErrorFields, sent: string): string {
  return message && code !== "filtered" ? `: ${withoutEcho(message, sent)}` : "";
}

/** The message of the innermost cause, which is the most specific: the outer one is often only "fetch failed". */
function reasonOf(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  if (!(inner instanceof Error)) return String(inner);
  return inner.message || ("code" in inner ? String(inner.code) : inner.name);
}

function withoutSecrets(text: string, key: string): string {
  // OpenAI repeats a wrong key with asterisks in its middle, but its beginning and its end are secret too.
  // oxlint-disable-next-line regexp/no-super-linear-move -- The caller passes at most MAX_SEARCHED characters: 10 ms.
  const masked = text.replace(/\bsk-[\w*.-]+|Bearer\s+\S+|\S*\*{3,}\S*/g, "…");
  return key.length > 3 ? masked.replaceAll(key, "…") : masked;
}

/** The most characters of a message that are quoted: some services send whole pages. */
const MAX_QUOTED = 400;

/** The most characters that are searched for secrets: without blanks, the search takes quadratic time. */
const MAX_SEARCHED = 4000;

function brief(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > MAX_QUOTED ? `${line.slice(0, MAX_QUOTED)}…` : line;
}

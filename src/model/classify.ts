import type { ModelErrorCode } from "../errors.ts";
import type { ErrorFields, ServiceRefusal } from "./refusal.ts";

/** The code of an error. The wording takes precedence over the status, which services use inconsistently. */
export function classify(status: number | undefined, fields: ErrorFields): ModelErrorCode {
  const text = `${fields.code} ${fields.type} ${fields.message}`;
  if (status === 402 || QUOTA.test(text)) return "quota";
  if (status === 413 || (status === 429 ? TOO_LARGE : TOO_LONG).test(text)) return "too_long";
  if (FILTERED.test(text)) return "filtered";
  if (status === 404 || status === 405 || fields.code === "model_not_found") return "not_found";
  if ((status === 401 || status === 403) && REVOKED.test(text)) return "revoked";
  if (status === 401 || status === 403 || WRONG_KEY.test(text)) return "key";
  if (status === 409 || status === 429 || status === 503 || status === 529 || BUSY.test(text)) return "busy";
  if (status === undefined || status === 408 || status >= 500) return "unreachable";
  return status < 400 ? "bad_answer" : "bad_request";
}

/** Whether a request with images may have been refused because the service does not accept images. */
export function mayRefuseImages({ status, body }: ServiceRefusal): boolean {
  return !ABOUT_THE_CLIENT.has(status) && ABOUT_IMAGES.test(body);
}

/** Whether the service refuses the field that limits an answer because it does not know it, not because of its value. */
export function refusesLimit(refusal: ServiceRefusal | undefined): boolean {
  return isBadRequest(refusal) && LIMIT.test(refusal.body) && UNKNOWN.test(refusal.body);
}

/** Whether the service refuses `stream_options`, or an unknown field that it does not name. */
export function refusesOptionalField(refusal: ServiceRefusal | undefined): boolean {
  return isBadRequest(refusal) && OPTIONAL_FIELD.test(refusal.body);
}

function isBadRequest(refusal: ServiceRefusal | undefined): refusal is ServiceRefusal {
  return refusal?.status === 400 || refusal?.status === 422;
}

const QUOTA =
  /insufficient_quota|exceeded your current quota|insufficient (balance|credit)|billing_hard_limit/i;
const REVOKED = /deactivated|revoked|expired|disabled|suspended|terminated/i;
const WRONG_KEY = /api[ _-]?key[ _-](not[ _-]valid|invalid)/i;
/** OpenAI sends `context_length_exceeded`, llama.cpp `exceed_context_size_error`; vLLM and others only have a message. */
const TOO_LONG =
  /context_length_exceeded|exceed_context_size|maximum context|context (size|window|length)|too many (input )?tokens|(prompt|input) (is )?too long/i;
/** A rate limit that waiting does not help against: the request alone exceeds the tokens of a minute. */
const TOO_LARGE = /request too large|must be reduced/i;
const FILTERED = /content_filter|content_policy|content management policy|data_inspection_failed/i;
const BUSY = /rate_limit|overloaded/i;

/**
 * "image_url is only supported by certain models" (OpenAI), "does not support image input" (Ollama), "is not a multimodal
 * model" (vLLM), "unknown variant `image_url`" (DeepSeek). Also matches a service that cannot read one of the images.
 */
const ABOUT_IMAGES = /\bimage|multi-?modal|\bvision\b/i;
/** Statuses of refusals that concern the client and not the request, whatever their message says. */
const ABOUT_THE_CLIENT: ReadonlySet<number> = new Set([401, 402, 403, 429]);

const LIMIT = /max_(completion_)?tokens/;
const UNKNOWN =
  /unknown|unrecognized|unsupported|unexpected|extra|additional|not (supported|permitted|allowed)/i;
const OPTIONAL_FIELD =
  /stream_options|include_usage|(unknown|unrecognized|unsupported|unexpected|extra|additional) (request )?(param|arg|field|key|input|propert)/i;

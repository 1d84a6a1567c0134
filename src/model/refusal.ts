/** A response of the service that is not a stream. It passes through the openai package, which would lose the body. */
export class ServiceRefusal extends Error {
  // No message: the package searches the messages of foreign errors for "timed out", and drops those errors.
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

/** The refusal behind an error of the openai package, if there is one. */
export function refusalOf(error: unknown): ServiceRefusal | undefined {
  if (error instanceof ServiceRefusal) return error;
  return error instanceof Error && error.cause instanceof ServiceRefusal ? error.cause : undefined;
}

/** What a service says about an error, in the fields that most services use. */
export interface ErrorFields {
  readonly message: string;
  readonly code: string;
  readonly type: string;
  /** The field of the request that caused the error. */
  readonly param: string;
}

/** The fields of an error in the middle of a stream: the openai package passes on the event's `error` field. */
export function streamErrorFields(error: unknown): ErrorFields | undefined {
  if (!(error instanceof Error) || !("error" in error) || !error.error) return undefined;
  return fieldsOf(error.error);
}

/**
 * Reads the body of a refusal: `{error: {…}}` (OpenAI), `{error: "…"}` (Ollama), `[{error: …}]` (Gemini), the fields at
 * the top level (old versions of vLLM), or text that is not JSON.
 */
export function parseErrorFields(body: string): ErrorFields {
  try {
    const json: unknown = JSON.parse(body);
    const first: unknown = Array.isArray(json) ? json[0] : json;
    return fieldsOf(isRecord(first) && first["error"] ? first["error"] : first);
  } catch {
    const text = body.replace(/<(script|style)\b.*?<\/\1>/gis, " ").replace(/<[^<>]*>/g, " ");
    return { message: text, code: "", type: "", param: "" };
  }
}

function fieldsOf(value: unknown): ErrorFields {
  if (!isRecord(value)) return { message: asText(value), code: "", type: "", param: "" };
  const message = value["message"] ?? value["detail"] ?? value;
  const field = (name: string) => asText(value[name]);
  return { message: asText(message), code: field("code"), type: field("type"), param: field("param") };
}

/** The value of `retry-after-ms`, or of `retry-after` in seconds or as a date; in ms. */
export function parseRetryAfter(headers: Headers): number | undefined {
  const ms = Number.parseFloat(headers.get("retry-after-ms") ?? "");
  if (ms >= 0) return ms;
  const after = headers.get("retry-after") ?? "";
  const seconds = Number(after || Number.NaN);
  if (seconds >= 0) return seconds * 1000;
  const date = Date.parse(after);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? "").replace(/^""$/, "");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

import type { z } from "zod";

interface ErrorFields {
  readonly message: string;
  readonly type?: string;
  readonly param?: string | null;
  readonly code?: string | null;
}

/** An error in OpenAI's format. */
export function errorBody(fields: ErrorFields): object {
  return { error: { type: "invalid_request_error", param: null, code: null, ...fields } };
}

/** 401: the key is missing or wrong. OpenAI repeats a wrong key with asterisks in its middle. */
export function wrongKey(given: string | undefined): object {
  if (!given) return errorBody({ message: "You didn't provide an API key in an Authorization header." });
  const masked = given.length > 12 ? `${given.slice(0, 8)}${"*".repeat(12)}${given.slice(-4)}` : given;
  return errorBody({ message: `Incorrect API key provided: ${masked}.`, code: "invalid_api_key" });
}

/** 400: the request is malformed. */
export function invalid(error: z.ZodError): object {
  const issue = error.issues[0];
  const param = (issue?.path ?? []).map((part) =>
    typeof part === "number" ? `[${part}]` : `.${String(part)}`,
  );
  const field = param.join("").replace(/^\./, "") || null;
  return errorBody({
    message: `Invalid '${field}': ${issue?.message}.`,
    param: field,
    code: "invalid_value",
  });
}

/** 400: the request exceeds the model's context. */
export function tooLong(limit: number, given: number): object {
  const message =
    `This model's maximum context length is ${limit} tokens. However, your messages resulted in ` +
    `${given} tokens. Please reduce the length of the messages.`;
  return errorBody({ message, param: "messages", code: "context_length_exceeded" });
}

/** The default body of a refusal with this status. */
export function refusalBody(status: number): object {
  if (status === 401) return wrongKey("sk-other");
  if (status === 429) {
    return errorBody({
      message: "Rate limit reached for requests.",
      type: "requests",
      code: "rate_limit_exceeded",
    });
  }
  if (status === 404) return errorBody({ message: "The model does not exist.", code: "model_not_found" });
  if (status >= 500) return errorBody({ message: "The server had an error.", type: "server_error" });
  return errorBody({ message: `Refused with ${status}.` });
}

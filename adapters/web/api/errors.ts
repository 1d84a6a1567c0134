import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { describeError, Overflow } from "../../../src/errors.ts";
import { BodyRefused } from "../../../src/http/bodies.ts";
import { Refused } from "../refused.ts";
import { describeFailure } from "./completions/schemas.ts";
import type { AdapterLog } from "../../../src/log.ts";

/** When a client should try again after the queue was full, in seconds. */
const OVERFLOW_RETRY_S = 5;

/** The response to a request that failed with an error. Errors that the client did not cause are logged. */
export function errorResponse(error: Error, c: Context, log: AdapterLog): Response {
  if (error instanceof Refused && error.retryAfterS !== undefined)
    c.header("retry-after", String(error.retryAfterS));
  if (error instanceof BodyRefused && error.status >= 429) c.header("retry-after", "1");
  if (error instanceof Refused && error.more)
    return c.json({ error: error.message, ...error.more }, error.status);
  if (error instanceof Refused || error instanceof BodyRefused || error instanceof HTTPException)
    return failureResponse(c, error.status, error.message);
  if (error instanceof Overflow) {
    c.header("retry-after", String(OVERFLOW_RETRY_S));
    return failureResponse(c, 429, "Too many messages are waiting for an answer. Please try again soon.");
  }
  log.error({ err: error }, `a request to the web chat failed: ${describeError(error)}`);
  return failureResponse(c, 503, "Something went wrong on the server. Please try again.");
}

/** An error response: `{ error }`, or, for clients of OpenAI's API, in the form that they expect. */
export function failureResponse(c: Context, status: ContentfulStatusCode, message: string): Response {
  return c.json(
    c.req.path.startsWith("/v1/") ? describeFailure(status, message) : { error: message },
    status,
  );
}

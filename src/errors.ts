/**
 * Errors, sorted by who must act. Each carries a stable `code` for programs and a message for people that
 * says what happened, to what, and what to do next. None ever contains a secret.
 */

/** Wrong settings or surroundings: the operator must act. The program exits with 2. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface PlatformErrorDetails extends ErrorOptions {
  /** The platform asks to wait this long, in milliseconds. */
  readonly retryAfterMs?: number;
  /** Trying again cannot help: blocked, kicked, chat deleted, no permission. */
  readonly permanent?: boolean;
  /** The message to be edited or removed no longer exists: send a new one instead. */
  readonly gone?: boolean;
}

/** A platform refused or could not be reached. Without `permanent` or `gone`, trying again may help. */
export class PlatformError extends Error {
  override readonly name = "PlatformError";
  readonly code: string;
  readonly retryAfterMs: number | undefined;
  readonly permanent: boolean;
  readonly gone: boolean;
  /** The platform has said no: nothing was done. Otherwise it may have been, only the answer is missing. */
  readonly refused: boolean;

  constructor(code: string, message: string, details: PlatformErrorDetails = {}) {
    super(message, details);
    this.code = code;
    this.retryAfterMs = details.retryAfterMs;
    this.permanent = details.permanent ?? false;
    this.gone = details.gone ?? false;
    this.refused = this.permanent || this.gone || this.retryAfterMs !== undefined;
  }
}

/** What went wrong with the model, as far as it matters to the person who asked. */
export type ModelErrorCode =
  | "key" // missing or wrong key, or one that may not use this model
  | "revoked" // the key was withdrawn, or has run out
  | "quota" // out of credit
  | "busy" // rate limit or overload
  | "unreachable" // no connection, no answer, gateway errors
  | "stalled" // no first word, or silence in the middle
  | "cut" // the stream ended without saying that it was finished
  | "blind" // it cannot look at the images that it was sent
  | "too_long" // the request does not fit the model's context
  | "filtered" // the service refused the content
  | "not_found" // no such model or URL
  | "bad_request" // refused for another reason
  | "bad_answer" // the answer cannot be understood
  | "empty"; // the model finished without saying anything

export interface ModelErrorDetails extends ErrorOptions {
  /** The HTTP status, where there was one. */
  readonly status?: number;
  /** The service asks to wait this long, in milliseconds. */
  readonly retryAfterMs?: number;
  readonly tries?: Tries;
}

/** How often the model was asked until it was given up, and how long that took, in ms. */
export interface Tries {
  readonly count: number;
  readonly ms: number;
}

/** The model gave no whole answer. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  readonly code: ModelErrorCode;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly tries: Tries;

  constructor(code: ModelErrorCode, message: string, details: ModelErrorDetails = {}) {
    super(message, details);
    this.code = code;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
    this.tries = details.tries ?? { count: 1, ms: 0 };
  }
}

/** The store could not be opened, read or written: nothing may be assumed about what it holds. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** More waits for an answer than the queue takes: this event was not stored. */
export class Overflow extends Error {
  override readonly name = "Overflow";
  /**
   * Its conversation is full, and the person will read in its turn that no more was taken in. Otherwise the whole
   * queue is: the platform is to deliver it again, or the person to be told.
   */
  readonly willBeTold: boolean;

  constructor(told: boolean, message: string) {
    super(message);
    this.willBeTold = told;
  }
}

/** An error and its causes as one line: the outer message alone often hides the reason ("fetch failed"). */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let inner = error;
  while (inner instanceof Error && parts.length < 5) {
    const text = messageOf(inner) || inner.name;
    if (!parts.includes(text)) parts.push(text);
    inner = inner.cause;
  }
  if (parts.length === 0) parts.push(typeof error === "string" ? error : "unknown failure");
  return parts.join(": ");
}

/** An error's message, without the piece of JSON that V8 quotes in it: that may be what somebody said. */
export function messageOf({ name, message }: Error): string {
  return name === "SyntaxError" ? message.replace(/".*"/s, '"…"').replace(/token '.*?'/s, "token") : message;
}

/** The abort reason of a turn that its person has stopped: end the answer here, keep what was said. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** The turn cannot go on in this process: its event stays in the queue for the next start. */
export class Requeued extends Error {
  override readonly name = "Parked";
}

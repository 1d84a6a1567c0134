/**
 * Errors, by who must act. Each has a stable `code` for programs, and a message for people that says what happened, to what,
 * and what to do next. None contains a secret.
 */

/** A setting or the environment is wrong: the operator must act. The program exits with 2. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface PlatformErrorDetails extends ErrorOptions {
  /** How long the platform asks to wait, in ms. */
  readonly retryAfterMs?: number;
  /** Trying again cannot help: the bot is blocked or removed, the chat is deleted, or a permission is missing. */
  readonly permanent?: boolean;
  /** The message to edit or delete no longer exists; send a new one instead. */
  readonly gone?: boolean;
}

/** A platform refused a request or could not be reached. Without `permanent` or `gone`, trying again may help. */
export class PlatformError extends Error {
  override readonly name = "PlatformError";
  readonly code: string;
  readonly retryAfterMs: number | undefined;
  readonly permanent: boolean;
  readonly gone: boolean;
  /** The platform answered no, so nothing was done; otherwise the request may have succeeded, and only its answer is missing. */
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

/** What went wrong with the model, as far as it matters to the user. */
export type ModelErrorCode =
  | "key" // the key is missing or wrong, or may not use this model
  | "revoked" // the key was revoked or has expired
  | "quota" // out of credit
  | "busy" // rate limit or overload
  | "unreachable" // no connection, no answer, gateway errors
  | "stalled" // no first token in time, or silence in the middle
  | "cut" // the stream ended before its last event
  | "blind" // it does not accept images
  | "too_long" // the request does not fit the model's context
  | "filtered" // the service refused the content
  | "not_found" // no such model or URL
  | "bad_request" // refused for another reason
  | "bad_answer" // the answer cannot be understood
  | "empty"; // the model returned no text

export interface ModelErrorDetails extends ErrorOptions {
  /** The HTTP status, where there was one. */
  readonly status?: number;
  /** How long the service asks to wait, in ms. */
  readonly retryAfterMs?: number;
  readonly tries?: Tries;
}

/** How many attempts were made, and how long they took, in ms. */
export interface Tries {
  readonly count: number;
  readonly ms: number;
}

/** The model gave no complete answer. */
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

/** The store could not be opened, read or written; what it holds is unknown. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The queue is full: this event was not stored. */
export class Overflow extends Error {
  override readonly name = "Overflow";
  /**
   * True if only the conversation is full: its user will read in turn that no more was accepted. False if the whole queue
   * is: have the platform deliver the event again, or notify the user at once.
   */
  readonly willBeTold: boolean;

  constructor(told: boolean, message: string) {
    super(message);
    this.willBeTold = told;
  }
}

/** Describes an error and its causes in one line; the outer message alone often hides the reason ("fetch failed"). */
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

/** The message of an error, without the JSON that V8 quotes in it: that may be what a user wrote. */
export function messageOf({ name, message }: Error): string {
  return name === "SyntaxError" ? message.replace(/".*"/s, '"…"').replace(/token '.*?'/s, "token") : message;
}

/** The abort reason of a turn that its user has stopped: end the answer here, and keep what was written. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** The turn cannot go on in this process: its event stays in the queue, unanswered. */
export class Requeued extends Error {
  override readonly name = "Requeued";
}

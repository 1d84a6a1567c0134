/** Why a request is refused: an HTTP status, a sentence for the client, and further fields of the response. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: 400 | 401 | 403 | 404 | 409 | 413 | 429 | 503;
  /** What the response holds beside the sentence. */
  readonly more: object | undefined;
  /** When the client should try again, in seconds. */
  readonly retryAfterS: number | undefined;

  constructor(
    status: Refused["status"],
    message: string,
    { more, retryAfterS }: { readonly more?: object; readonly retryAfterS?: number } = {},
  ) {
    super(message);
    this.status = status;
    this.more = more;
    this.retryAfterS = retryAfterS;
  }
}

/** The refusal of a client that has failed too often. */
export function tooManyTries(): Refused {
  return new Refused(429, "Too many attempts. Please wait a minute.", { retryAfterS: 60 });
}

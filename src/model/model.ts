/**
 * A language model.
 *
 * Contract: `answer` yields the Markdown of the answer in chunks, in order, and returns the usage. It yields only what
 * the user is meant to see, and no reasoning. It throws a `ModelError` if the answer is incomplete; the chunks yielded
 * before that remain valid. When `signal` aborts, it soon throws the signal's reason.
 */
export interface Model {
  /** The name by which the service knows the model. */
  readonly name: string;
  /** The maximum number of tokens in a request and its answer together. */
  readonly contextTokens: number;
  /** Absent if the price is unknown. */
  readonly price?: Price | undefined;
  answer(request: ModelRequest, signal: AbortSignal): AsyncGenerator<string, Usage, void>;
}

/** A request to a model. */
export interface ModelRequest {
  readonly messages: readonly Message[];
}

/** One message of a request, as in chat completions. */
export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
  /** The images of a user's message: `data:` URLs in a request, the adapter's references in a stored conversation. */
  readonly images?: readonly string[] | undefined;
}

/** The price of a million input tokens and of a million output tokens, in any currency. */
export interface Price {
  readonly input: number;
  readonly output: number;
}

/** The tokens that an answer used. */
export interface Usage {
  /** The model that answered, if it was another one, such as a fallback. */
  readonly by?: Pick<Model, "name" | "price">;

  readonly input: number;
  readonly output: number;
  /** Whether the numbers are Colloquy's own count, because the service sent none. */
  readonly estimated: boolean;
}

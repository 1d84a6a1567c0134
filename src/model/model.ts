/**
 * A language model.
 *
 * Contract: the stream yields the answer's Markdown in pieces, in order, and returns the bill. It yields
 * nothing but what the person shall see: no reasoning. It throws a `ModelError` when there is no whole
 * answer; what it yielded before remains valid. When `signal` aborts it throws the signal's reason soon.
 */
export interface Model {
  /** The model's name as the service knows it. */
  readonly name: string;
  /** How many tokens a request and its answer may have together. */
  readonly contextTokens: number;
  /** What it costs; absent if nobody knows. */
  readonly price?: Price | undefined;
  answer(request: ModelRequest, signal: AbortSignal): AsyncGenerator<string, Usage, void>;
}

/** What the model is asked. */
export interface ModelRequest {
  readonly messages: readonly Message[];
}

/** One message of a conversation, as chat completions have it. */
export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
  /** Images beside a user's text, as `data:` URLs in a request; before that by the names that the adapter finds them by. */
  readonly images?: readonly string[] | undefined;
}

/** The cost of a million tokens that a model is sent, and of a million that it writes, in any currency. */
export interface Price {
  readonly input: number;
  readonly output: number;
}

/** What a turn cost, in tokens. */
export interface Usage {
  /** The model that has answered, if it was another one. */
  readonly by?: Pick<Model, "name" | "price">;

  readonly input: number;
  readonly output: number;
  /** The service told no figures: these are our own count. */
  readonly estimated: boolean;
}

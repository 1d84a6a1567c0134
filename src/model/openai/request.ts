import type OpenAI from "openai";
import { refusesLimit, refusesOptionalField } from "../classify.ts";
import { imagesRefused, type Service } from "../failure.ts";
import { withOnly } from "../images.ts";
import type { Message } from "../model.ts";
import { refusalOf } from "../refusal.ts";
import { packageLoader } from "../../system/load-package.ts";
import { guardFetch } from "./fetch.ts";

interface RequesterOptions {
  readonly service: Service;
  readonly baseURL: URL;
  readonly maxCompletionTokens?: number | undefined;
  /** How long to wait for the headers of a response, in ms. */
  readonly timeoutMs: number;
  readonly fetch?: typeof fetch;
  readonly log?: { warn(message: string): void };
}

/** Sends a request, and resolves with the chunks of the answer. */
export type Requester = (
  messages: readonly Message[],
  signal: AbortSignal,
) => Promise<AsyncIterable<OpenAI.ChatCompletionChunk>>;

/** The field that limits the length of an answer: `max_tokens` in services that predate its successor. */
type LimitField = "max_completion_tokens" | "max_tokens" | undefined;

/** The package is loaded for the first question: loading it takes a tenth of the time that the program needs to start. */
const loadOpenAI = packageLoader("openai") as () => typeof import("openai");

/**
 * Creates a requester that adapts to its service: it stops sending the optional fields that the service refuses, and
 * leaves out earlier images if the service does not accept images.
 */
export function createRequester(options: RequesterOptions): Requester {
  const { service, baseURL, maxCompletionTokens, log } = options;
  const { model } = service;
  let client: OpenAI | undefined;
  let sendsUsageOption = true;
  let limitField: LimitField = maxCompletionTokens === undefined ? undefined : "max_completion_tokens";

  return async (messages, signal) => {
    try {
      return await post(messages, signal);
    } catch (error) {
      const hasImages = messages.some(({ images }) => images);
      const refusal = hasImages ? imagesRefused(error, service, textOfMessage(messages)) : undefined;
      if (!refusal) throw error;
      // The question is about its own images, but it may be answered without the earlier ones.
      if (messages.at(-1)?.images) throw refusal;
      return post(
        messages.map((message) => withOnly(message, [])),
        signal,
      );
    }
  };

  /** Sends a request, and repeats it without the optional fields that the service refuses. */
  async function post(messages: readonly Message[], signal: AbortSignal) {
    const { completions } = connect().chat;
    for (;;) {
      const sent = { sendsUsageOption, limitField };
      // No other fields: some services refuse requests with unknown ones.
      const body = {
        model,
        messages: messages.map(toParam),
        stream: true,
        ...(sent.sendsUsageOption && { stream_options: { include_usage: true } }),
        ...(sent.limitField && { [sent.limitField]: maxCompletionTokens }),
      } as const;
      try {
        return await completions.create(body, { signal });
      } catch (error) {
        if (!leaveOut(error, sent)) throw error;
      }
    }
  }

  /**
   * Leaves out a refused field from now on. Returns whether the request may be repeated, which is also the case if a
   * concurrent request has left out the field already.
   */
  function leaveOut(error: unknown, sent: { sendsUsageOption: boolean; limitField: LimitField }): boolean {
    const refusal = refusalOf(error);
    const isLimit = refusesLimit(refusal);
    if (sent.sendsUsageOption && !isLimit && refusesOptionalField(refusal)) {
      sendsUsageOption = false;
      return true;
    }
    if (!sent.limitField || !(isLimit || refusesOptionalField(refusal))) return false;
    if (sent.limitField !== limitField) return true;
    limitField = limitField === "max_completion_tokens" ? "max_tokens" : undefined;
    if (!limitField)
      log?.warn(
        `The model ${model} at ${service.host} supports neither max_completion_tokens nor max_tokens: ` +
          "OPENAI_MAX_COMPLETION_TOKENS has no effect.",
      );
    return true;
  }

  function connect(): OpenAI {
    client ??= new (loadOpenAI().OpenAI)({
      apiKey: service.key || "none",
      baseURL: baseURL.href,
      fetch: guardFetch(options.fetch),
      maxRetries: 0,
      timeout: options.timeoutMs,
      // Otherwise the package would log events that it cannot parse.
      logLevel: "off",
    });
    return client;
  }
}

/** The text of a request, without its images. */
export function textOfMessage(messages: readonly Message[]): string {
  return messages.map(({ content }) => content).join("\n");
}

/** Content without images is a string and not a list of parts, which text-only services do not accept. */
function toParam({ role, content, images = [] }: Message): OpenAI.ChatCompletionMessageParam {
  const text = wellFormed(content);
  if (role !== "user" || images.length === 0) return { role, content: text };
  const parts = images.map((url) => ({ type: "image_url", image_url: { url } }) as const);
  return { role, content: [...(text ? [{ type: "text", text } as const] : []), ...parts] };
}

/** Replaces lone surrogates, which some services refuse: a platform may cut a text within a pair, or a user send one. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\uFFFD");
}

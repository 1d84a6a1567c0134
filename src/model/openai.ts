import { setTimeout as sleep } from "node:timers/promises";
import { ConfigError } from "../errors.ts";
import { isTransientFailure, type Service, toModelError, withTries } from "./failure.ts";
import type { Message, Model, Price, Usage } from "./model.ts";
import {
  addChunk,
  checkComplete,
  emptyCompletion,
  type Completion,
  MAX_ANSWER,
} from "./openai/completion.ts";
import { createRequester, textOfMessage } from "./openai/request.ts";
import { emit } from "../telemetry/events.ts";
import { createThoughtFilter } from "./reasoning.ts";
import { countTokens } from "./tokens.ts";
import { createWatchdog } from "./watchdog.ts";
import { type BackOff, backOff } from "../system/back-off.ts";

export interface OpenAIOptions {
  /** May be empty for a self-hosted service that requires none. */
  readonly apiKey: string;
  /** The base URL of any OpenAI-compatible service, including `/v1`; OpenAI's own by default. */
  readonly baseURL?: string;
  readonly model: string;
  /** The maximum number of tokens in a request and its answer together; see `assumedContext` for the default. */
  readonly contextTokens?: number;
  /** The maximum number of tokens in an answer, including reasoning; by default, as many as the service permits. */
  readonly maxCompletionTokens?: number | undefined;
  /** The price of the model; unknown if absent. */
  readonly price?: Price | undefined;
  /** How long to wait for the first token, in ms; 60 s by default. */
  readonly firstTokenMs?: number;
  /** How long to wait for each further token, in ms; 45 s by default. */
  readonly stallMs?: number;
  /** The longest pause before another attempt, in ms; 20 s by default. If the service asks for more, there is none. */
  readonly maxWaitMs?: number;
  /** How long after the question another attempt may begin, in ms; 90 s by default. */
  readonly budgetMs?: number;
  readonly fetch?: typeof fetch;
  readonly log?: { warn(message: string): void };
}

const OPENAI_URL = "https://api.openai.com/v1";
/** The most attempts per answer. With the pauses between them they last 4 to 8 s: enough for a service to restart. */
const MAX_ATTEMPTS = 5;
/** The pauses between attempts. */
const BACK_OFF: BackOff = { firstMs: 500, maxMs: 4_000 };
/** How long to wait for the usage when the answer is complete, in ms. */
const USAGE_MS = 5000;
/** The longest time that an answer may take, in ms: one token now and then would keep it going for days. */
const MAX_DURATION_MS = 3_600_000;

/**
 * Creates a model behind an OpenAI-compatible service, which is used through its chat completions. Throws a `ConfigError`
 * if the base URL is invalid.
 */
export function createOpenAI(options: OpenAIOptions): Model {
  const { apiKey, model, firstTokenMs = 60_000, stallMs = 45_000, log } = options;
  const { maxWaitMs = 20_000, budgetMs = 90_000 } = options;
  const baseURL = checkBaseURL(options.baseURL ?? OPENAI_URL);
  const service: Service = { model, host: baseURL.host, key: apiKey };
  // The package's timeout ends with the headers. Ours covers the whole answer, and must be the one that fires.
  const request = createRequester({ ...options, service, baseURL, timeoutMs: firstTokenMs + 60_000 });

  return {
    name: model,
    contextTokens: options.contextTokens ?? assumedContext(baseURL),
    price: options.price,
    answer: ({ messages }, signal) => answer(messages, signal),
  };

  async function* answer(
    messages: readonly Message[],
    signal: AbortSignal,
  ): AsyncGenerator<string, Usage, void> {
    const since = performance.now();
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      const completion = emptyCompletion();
      try {
        yield* receive(messages, signal, completion);
        emit("asked", { model, outcome: "answered" });
        return await usageOf(messages, completion);
      } catch (cause) {
        if (signal.aborted) emit("asked", { model, outcome: "stopped" });
        signal.throwIfAborted();
        const error = toModelError(cause, service, textOfMessage(messages));
        emit("asked", { model, outcome: error.code });
        const pauseMs = error.retryAfterMs ?? backOff(attempt, BACK_OFF);
        if (completion.isVisible) throw error;
        const ms = performance.now() - since;
        const isLast = attempt >= MAX_ATTEMPTS || pauseMs > maxWaitMs || ms + pauseMs > budgetMs;
        if (isLast || !isTransientFailure(error)) throw withTries(error, { count: attempt, ms });
        log?.warn(
          `${error.message} Trying again in ${Math.round(pauseMs)} ms (attempt ${attempt + 1} of ${MAX_ATTEMPTS}).`,
        );
        await sleep(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
      }
    }
  }

  /** Makes one attempt. Yields the text of the answer; throws unless the answer is complete. */
  async function* receive(messages: readonly Message[], signal: AbortSignal, completion: Completion) {
    using watchdog = createWatchdog(firstTokenMs, signal);
    const thoughts = createThoughtFilter();
    const since = performance.now();
    try {
      const chunks = (await watchdog.watch(request(messages, watchdog.signal)))[Symbol.asyncIterator]();
      for (;;) {
        const { value: chunk, done } = await watchdog.watch(chunks.next());
        // The package ends an aborted stream as if it were complete.
        signal.throwIfAborted();
        if (done) break;
        const wasFinished = completion.finish !== "";
        const { text, thought } = addChunk(completion, chunk);
        if (completion.finish) {
          // Only the usage may follow, whatever else the service sends.
          if (!wasFinished) watchdog.reset(Math.min(stallMs, USAGE_MS));
        } else if (text || thought) {
          // An empty chunk is no progress: some services send them only to keep the connection open.
          watchdog.reset(stallMs);
        }
        const visible = thoughts.push(text);
        if (completion.written.length > MAX_ANSWER || performance.now() - since > MAX_DURATION_MS) break;
        if (visible) {
          completion.isVisible = true;
          yield visible;
          signal.throwIfAborted();
        }
      }
    } catch (error) {
      // After the finish reason, only the usage is missing; a timeout is reported by `checkComplete`.
      if (!completion.finish && !watchdog.timedOut) throw error;
      signal.throwIfAborted();
    }
    const rest = thoughts.end();
    if (completion.finish && rest.trim()) {
      completion.isVisible = true;
      yield rest;
    }
    const silentMs = completion.written ? stallMs : firstTokenMs;
    checkComplete(completion, service, watchdog.timedOut ? silentMs : undefined);
  }

  async function usageOf(messages: readonly Message[], { usage, written }: Completion): Promise<Usage> {
    if (usage) return { ...usage, estimated: false };
    const [input, output] = await Promise.all([countTokens(messages, model), countTokens(written, model)]);
    return { input, output, estimated: true };
  }
}

/** Ollama's default port. By default Ollama has a context of 4096 tokens, and silently truncates longer requests. */
const OLLAMA_PORT = "11434";

/**
 * The context of a model if none is configured, in tokens. It is smaller than that of hosted models, as every question
 * pays for the history that is sent with it.
 */
function assumedContext(url: URL): number {
  return url.port === OLLAMA_PORT ? 4096 : 32_768;
}

function checkBaseURL(baseURL: string): URL {
  const url = URL.canParse(baseURL) ? new URL(baseURL) : undefined;
  if (url && /^https?:$/.test(url.protocol) && !url.username && !url.password) return url;
  throw new ConfigError(
    "openai_base_url",
    "OPENAI_BASE_URL must be an http:// or https:// URL without user name and password, " +
      `such as ${OPENAI_URL} or http://127.0.0.1:11434/v1`,
  );
}

import { setTimeout as sleep } from "node:timers/promises";
import type OpenAI from "openai";
import { ConfigError } from "../errors.ts";
import {
  explain,
  givenUp,
  modelError,
  passes,
  Refusal,
  refusalOf,
  refusalOfImages,
  type Service,
} from "./failure.ts";
import { withOnly } from "./images.ts";
import { packageLoader } from "../system/load-package.ts";
import type { Message, Model, Price, Usage } from "./model.ts";
import { emit } from "../telemetry/events.ts";
import { createThoughtFilter } from "./reasoning.ts";
import { countTokens } from "./tokens.ts";
import { createWatchdog, type Watchdog } from "./watchdog.ts";

export interface OpenAIOptions {
  /** May be empty for a service of one's own that asks for none. */
  readonly apiKey: string;
  /** Of any OpenAI-compatible service, `/v1` included. */
  readonly baseURL?: string;
  readonly model: string;
  /** How many tokens a request and its answer may have together; see `assumedContext` for the default. */
  readonly contextTokens?: number;
  /** How many tokens an answer may have, thoughts among them; what the service allows if absent. */
  readonly maxCompletionTokens?: number | undefined;
  /** What it costs; unknown if absent. */
  readonly price?: Price | undefined;
  /** How long the model may think before its first word, in ms. */
  readonly firstTokenMs?: number;
  /** How long it may be silent in the middle, in ms. */
  readonly stallMs?: number;
  /** The longest wait before trying again, in ms; a service that asks for more is not asked again. */
  readonly maxWaitMs?: number;
  /** When this time is over, in ms, nothing is tried again: whoever waits is told what was tried. */
  readonly budgetMs?: number;
  readonly fetch?: typeof fetch;
  readonly log?: { warn(message: string): void };
}

const OPENAI_URL = "https://api.openai.com/v1";
/** With the waits between them they bridge the restart of a service: 4 to 8 s. */
const ATTEMPTS = 5;
/** The wait before the second attempt, in ms; it doubles with each attempt, and up to half of it is chance. */
const FIRST_WAIT_MS = 500;
/** Once the model said that it is finished: how long the bill may take, in ms. */
const BILL_MS = 5000;

/** So much of a refusal is read, in bytes. */
const MAX_REFUSED = 16_384;
/** A model that goes round in circles writes without end: so many characters are taken, thoughts among them. */
const MAX_ANSWER = 1_000_000;
/** One that writes a character now and then would do so for days: in ms. */
const MAX_WAIT_MS = 3_600_000;
/** One event of the stream, which is read as a whole, in bytes: a few words, or a whole answer. */
const MAX_EVENT = 8_000_000;

/** Loaded with the first question: it takes a tenth of the time that the program needs to start. */
const loadOpenAI = packageLoader("openai") as () => typeof import("openai");

type Chunk = OpenAI.ChatCompletionChunk;

/** What arrived of an answer. */
interface Arrived {
  /** Everything the model wrote, thoughts too: it is all billed. */
  written: string;
  /** Something was shown: from now on nothing may be tried again. */
  shown: boolean;
  finish: string;
  bill?: { readonly input: number; readonly output: number };
}

/** A model behind an OpenAI-compatible service, with chat completions. */
export function createOpenAI(options: OpenAIOptions): Model {
  const { apiKey, model, firstTokenMs = 60_000, stallMs = 45_000, log } = options;
  const { maxWaitMs = 20_000, budgetMs = 90_000 } = options;
  const url = checkBaseURL(options.baseURL ?? OPENAI_URL);
  const service: Service = { model, host: url.host, key: apiKey };
  let client: OpenAI | undefined;
  let billed = true;
  /** The field's name; services that came before it know the older one. */
  let limit: "max_completion_tokens" | "max_tokens" | undefined =
    options.maxCompletionTokens === undefined ? undefined : "max_completion_tokens";

  return {
    name: model,
    contextTokens: options.contextTokens ?? assumedContext(url),
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
      const arrived: Arrived = { written: "", shown: false, finish: "" };
      try {
        yield* listen(messages, signal, arrived);
        emit("asked", { model, outcome: "answered" });
        return await bill(messages, arrived);
      } catch (cause) {
        if (signal.aborted) emit("asked", { model, outcome: "stopped" });
        signal.throwIfAborted();
        const error = explain(cause, service, textOf(messages));
        emit("asked", { model, outcome: error.code });
        const wait = error.retryAfterMs ?? backoff(attempt);
        if (arrived.shown) throw error;
        const ms = performance.now() - since;
        const isLast = attempt >= ATTEMPTS || wait > maxWaitMs || ms + wait > budgetMs;
        if (isLast || !passes(error)) throw givenUp(error, { count: attempt, ms });
        log?.warn(
          `${error.message} Trying again in ${Math.round(wait)} ms (attempt ${attempt + 1} of ${ATTEMPTS}).`,
        );
        await sleep(wait, undefined, { signal }).catch(() => signal.throwIfAborted());
      }
    }
  }

  /** One attempt: yields what may be shown; throws unless the answer is whole. */
  async function* listen(messages: readonly Message[], signal: AbortSignal, arrived: Arrived) {
    using watchdog = createWatchdog(firstTokenMs, signal);
    const thoughts = createThoughtFilter();
    const since = performance.now();
    try {
      const chunks = (await watchdog.watch(open(messages, watchdog.signal)))[Symbol.asyncIterator]();
      for (;;) {
        const { value: chunk, done } = await watchdog.watch(chunks.next());
        // The package ends an aborted stream as if it were over.
        signal.throwIfAborted();
        if (done) break;
        const text = thoughts.push(note(chunk, arrived, watchdog));
        if (arrived.written.length > MAX_ANSWER || performance.now() - since > MAX_WAIT_MS) break;
        if (text) {
          arrived.shown = true;
          yield text;
          signal.throwIfAborted();
        }
      }
    } catch (error) {
      // Only the bill is missing.
      if (!arrived.finish && !watchdog.barked) throw error;
      signal.throwIfAborted();
    }
    const rest = thoughts.end();
    if (arrived.finish && rest.trim()) {
      arrived.shown = true;
      yield rest;
    }
    checkWhole(arrived, watchdog.barked);
  }

  /** Takes a chunk's news down, tells the watchdog, and returns the chunk's text. */
  function note(chunk: unknown, arrived: Arrived, watchdog: Watchdog): string {
    const { choices, usage } = fieldsOf(chunk);
    const choice = fieldsOf(Array.isArray(choices) ? choices[0] : undefined);
    const delta = fieldsOf(choice["delta"]);
    const text = textIn(delta["content"]);
    // DeepSeek and llama.cpp write one name, vLLM, OpenRouter and Ollama the other.
    const thought = textIn(delta["reasoning_content"]) || textIn(delta["reasoning"]);
    arrived.written += thought + text;
    const wasFinished = arrived.finish !== "";
    arrived.finish ||= textIn(choice["finish_reason"]);
    const { prompt_tokens: input, completion_tokens: output } = fieldsOf(usage);
    if (isCount(input) && isCount(output)) arrived.bill = { input, output };
    // An empty chunk is no progress: some services send them only to keep the line open.
    if (arrived.finish) {
      // After the last piece only the usage is awaited, no matter what else the service sends.
      if (!wasFinished) watchdog.reset(Math.min(stallMs, BILL_MS));
    } else if (text || thought) watchdog.reset(stallMs);
    return text;
  }

  /** What a model cannot look at it may still answer about, if it was not just now that it was shown. */
  async function open(messages: readonly Message[], signal: AbortSignal): Promise<AsyncIterable<Chunk>> {
    try {
      return await post(messages, signal);
    } catch (error) {
      const refusal = messages.some(({ images }) => images)
        ? refusalOfImages(error, textOf(messages))
        : undefined;
      if (!refusal) throw error;
      const { status, said } = refusal;
      if (messages.at(-1)?.images)
        throw modelError("blind", `refused the images (${status})${said}`, { service, status });
      return post(
        messages.map((message) => withOnly(message, [])),
        signal,
      );
    }
  }

  async function post(messages: readonly Message[], signal: AbortSignal): Promise<AsyncIterable<Chunk>> {
    const { completions } = connect().chat;
    for (;;) {
      const sent = { billed, limit };
      // Exactly these fields: a service refuses those that it does not know.
      const body = {
        model,
        messages: messages.map(inRequest),
        stream: true,
        ...(sent.billed && { stream_options: { include_usage: true } }),
        ...(sent.limit && { [sent.limit]: options.maxCompletionTokens }),
      } as const;
      try {
        return await completions.create(body, { signal });
      } catch (error) {
        if (!leaveOut(error, sent)) throw error;
      }
    }
  }

  /** Whether a field was refused that is left out from now on; another question may have met the same meanwhile. */
  function leaveOut(error: unknown, sent: { billed: boolean; limit: typeof limit }): boolean {
    const isLimit = refusesLimit(error);
    if (sent.billed && !isLimit && refusesField(error)) {
      billed = false;
      return true;
    }
    if (!sent.limit || !(isLimit || refusesField(error))) return false;
    if (sent.limit !== limit) return true;
    limit = limit === "max_completion_tokens" ? "max_tokens" : undefined;
    if (!limit)
      log?.warn(
        `The model ${model} at ${service.host} knows neither max_completion_tokens nor max_tokens: ` +
          "OPENAI_MAX_COMPLETION_TOKENS limits nothing.",
      );
    return true;
  }

  function connect(): OpenAI {
    client ??= new (loadOpenAI().OpenAI)({
      apiKey: apiKey || "none",
      baseURL: url.href,
      fetch: readable(options.fetch),
      maxRetries: 0,
      // It ends at the headers: ours goes on, and shall be the one that speaks.
      timeout: firstTokenMs + 60_000,
      // It would print what it cannot parse.
      logLevel: "off",
    });
    return client;
  }

  function checkWhole({ written, shown, finish }: Arrived, silent: boolean): void {
    if (!finish && silent) {
      const what = written
        ? `fell silent for ${stallMs / 1000} s`
        : `said nothing for ${firstTokenMs / 1000} s`;
      throw modelError("stalled", what, { service });
    }
    if (written.length > MAX_ANSWER)
      throw modelError("cut", `went on beyond ${MAX_ANSWER} characters`, { service });
    if (!finish) throw modelError("cut", "broke off without saying that it was finished", { service });
    if (finish === "content_filter")
      throw modelError("filtered", "refused to go on (content_filter)", { service });
    const limit = finish === "length" ? "reached its output limit" : "";
    if (!shown)
      throw modelError("empty", limit ? `${limit} before it said anything` : "said nothing", { service });
    if (limit) throw modelError("cut", `${limit} before it was finished`, { service });
  }

  async function bill(messages: readonly Message[], { bill, written }: Arrived): Promise<Usage> {
    if (bill) return { ...bill, estimated: false };
    const [input, output] = await Promise.all([countTokens(messages, model), countTokens(written, model)]);
    return { input, output, estimated: true };
  }
}

/** Ollama's port: it serves a context of 4096 tokens by default, and cuts what is longer without a word. */
const OLLAMA_PORT = "11434";

/**
 * What a model's context is taken to be, in tokens, if nobody says: less than the hosted models have, for
 * every turn pays for its history.
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

/** Turns whatever is no stream into a `Refusal` that keeps the body; the package reads only OpenAI's own shape. */
function readable(given: typeof fetch | undefined): typeof fetch {
  return async (input, init) => {
    const response = await (given ?? fetch)(input, init);
    if (response.ok && !/json|html/i.test(response.headers.get("content-type") ?? ""))
      return bounded(response);
    throw new Refusal(response.status, response.headers, await beginningOf(response));
  };
}

/** The same, until one event of it is larger than anything that is meant: the package keeps it until its end. */
function bounded(response: Response): Response {
  let size = 0;
  let tail = Buffer.alloc(0);
  const watch = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      const seen = Buffer.concat([tail, chunk]);
      const end = Math.max(...["\n\n", "\r\r", "\r\n\r\n"].map((blank) => seen.lastIndexOf(blank)));
      size = end < 0 ? size + chunk.length : seen.length - end;
      tail = seen.subarray(-3);
      if (size > MAX_EVENT) throw new Error(`sent one event of more than ${MAX_EVENT / 1e6} MB`);
      controller.enqueue(chunk);
    },
  });
  const { status, headers } = response;
  return new Response(response.body?.pipeThrough(watch) ?? null, { status, headers });
}

/** A page without end may come instead of an answer; what matters stands at its beginning. */
async function beginningOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= MAX_REFUSED) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_REFUSED).toString("utf8");
}

/** The service does not know the field that limits an answer; that the limit is too high for it is another thing. */
function refusesLimit(error: unknown): boolean {
  const refusal = refusalOf(error);
  return (
    (refusal?.status === 400 || refusal?.status === 422) &&
    /max_(completion_)?tokens/.test(refusal.body) &&
    /unknown|unrecognized|unsupported|unexpected|extra|additional|not (supported|permitted|allowed)/i.test(
      refusal.body,
    )
  );
}

/** The service does not know `stream_options`, or speaks of some unknown field, and there is no other one. */
function refusesField(error: unknown): boolean {
  const refusal = refusalOf(error);
  return (
    (refusal?.status === 400 || refusal?.status === 422) &&
    /stream_options|include_usage|(unknown|unrecognized|unsupported|unexpected|extra|additional) (request )?(param|arg|field|key|input|propert)/i.test(
      refusal.body,
    )
  );
}

/** A text alone is no list of parts: services that know only texts take no other form. */
function inRequest({ role, content, images = [] }: Message): OpenAI.ChatCompletionMessageParam {
  const text = wellFormed(content);
  if (role !== "user" || images.length === 0) return { role, content: text };
  const shown = images.map((url) => ({ type: "image_url", image_url: { url } }) as const);
  return { role, content: [...(text ? [{ type: "text", text } as const] : []), ...shown] };
}

/** Half a character, which a platform may cut or a person may send, is refused by some services. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\uFFFD");
}

/** All that a service knows of a conversation, but for its images. */
function textOf(messages: readonly Message[]): string {
  return messages.map(({ content }) => content).join("\n");
}

/** In ms. */
function backoff(attempt: number): number {
  return FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
}

/** Nothing of what a service sends is taken on trust. */
function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** JSON's 1e999 is infinite, and would make the stored record unreadable. */
function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function textIn(value: unknown): string {
  return typeof value === "string" ? value : "";
}

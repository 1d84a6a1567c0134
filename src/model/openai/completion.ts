import { modelError, type Service } from "../failure.ts";

/** What has been received of an answer. */
export interface Completion {
  /** Everything that the model wrote, including reasoning, which is billed too. */
  written: string;
  /** Whether part of the answer has been yielded. From then on there must not be another attempt. */
  isVisible: boolean;
  /** The `finish_reason`; empty until it is received. */
  finish: string;
  usage?: { readonly input: number; readonly output: number };
}

/** The most characters that are accepted, including reasoning: a model that repeats itself may write without end. */
export const MAX_ANSWER = 1_000_000;

export function emptyCompletion(): Completion {
  return { written: "", isVisible: false, finish: "" };
}

/** Adds a chunk of the stream. Returns the text and the reasoning in it. Nothing about its shape is taken for granted. */
export function addChunk(completion: Completion, chunk: unknown): { text: string; thought: string } {
  const { choices, usage } = fieldsOf(chunk);
  const choice = fieldsOf(Array.isArray(choices) ? choices[0] : undefined);
  const delta = fieldsOf(choice["delta"]);
  const text = textIn(delta["content"]);
  // DeepSeek and llama.cpp use the first name; vLLM, OpenRouter and Ollama the second.
  const thought = textIn(delta["reasoning_content"]) || textIn(delta["reasoning"]);
  completion.written += thought + text;
  completion.finish ||= textIn(choice["finish_reason"]);
  const { prompt_tokens: input, completion_tokens: output } = fieldsOf(usage);
  if (isCount(input) && isCount(output)) completion.usage = { input, output };
  return { text, thought };
}

/** Throws a `ModelError` unless the answer is complete. `silentMs` is how long the service was silent if it timed out. */
export function checkComplete(completion: Completion, service: Service, silentMs: number | undefined): void {
  const { written, isVisible, finish } = completion;
  if (!finish && silentMs !== undefined) {
    const seconds = silentMs / 1000;
    const what = written
      ? `sent nothing more for ${seconds} s`
      : `did not begin to answer within ${seconds} s`;
    throw modelError("stalled", what, { service });
  }
  if (written.length > MAX_ANSWER)
    throw modelError("cut", `wrote more than ${MAX_ANSWER} characters`, { service });
  if (!finish) throw modelError("cut", "ended the stream without a finish_reason", { service });
  if (finish === "content_filter")
    throw modelError("filtered", "stopped the answer (content_filter)", { service });
  const isCut = finish === "length";
  if (!isVisible) {
    const what = isCut ? "reached its output limit before the answer began" : "sent an empty answer";
    throw modelError("empty", what, { service });
  }
  if (isCut) throw modelError("cut", "reached its output limit before the answer was complete", { service });
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function textIn(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Rejects infinity, to which JSON.parse turns 1e999: it would make the stored record unreadable. */
function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

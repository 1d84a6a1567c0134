import { Refused } from "../../refused.ts";
import { EVENT_STREAM } from "../events.ts";
import type { MarkdownChunk } from "./markdown-answer.ts";
import { type Completion, describeFailure, type Usage } from "./schemas.ts";

export const INVALID_KEY =
  "The API key is not valid or no longer valid. The operator can make one with `colloquy user add NAME --api`.";

/** An answer to send, with what the response says about it. */
export interface Answer {
  readonly chunks: AsyncIterable<MarkdownChunk>;
  readonly about: { readonly id: string; readonly created: number; readonly model: string };
  /** Aborted if the API key is no longer valid. */
  readonly ended: AbortSignal;
  /** The tokens that the answer has used; called once the answer is complete. */
  readonly usage: () => Promise<Usage>;
}

/** Waits for the whole answer. Rejects with a `Refused` (401) if the API key is no longer valid. */
export async function wholeCompletion({ chunks, about, ended, usage }: Answer): Promise<Completion> {
  let content = "";
  // Another process may begin the answer again, if the one before has died.
  for await (const { at, add } of chunks) content = content.slice(0, at) + add;
  if (ended.aborted) throw new Refused(401, INVALID_KEY);
  return {
    ...about,
    object: "chat.completion",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content, refusal: null },
        logprobs: null,
        finish_reason: "stop",
      },
    ],
    usage: await usage(),
  };
}

/** Streams the answer as Server-Sent Events, in the form that OpenAI's clients expect. */
export function streamCompletion(
  { chunks, about, ended, usage }: Answer,
  { includeUsage }: { readonly includeUsage: boolean },
): Response {
  const event = (data: object | string) =>
    `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;
  const chunk = (delta: object, reason: string | null = null) =>
    event({
      ...about,
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
    });
  const events = (async function* (): AsyncGenerator<string, void> {
    yield chunk({ role: "assistant", content: "" });
    let length = 0;
    for await (const { at, add } of chunks) {
      // Another process has begun the answer again, in other words, and what was sent cannot be taken back.
      if (at !== length) {
        yield event(describeFailure(503, "The answer was interrupted. Please ask again."));
        return;
      }
      length += add.length;
      yield chunk({ content: add });
    }
    if (ended.aborted) {
      yield event(describeFailure(401, INVALID_KEY));
      return;
    }
    yield chunk({}, "stop");
    if (includeUsage)
      yield event({ ...about, object: "chat.completion.chunk", choices: [], usage: await usage() });
    yield event("[DONE]");
  })();
  return new Response(ReadableStream.from(events).pipeThrough(new TextEncoderStream()), {
    headers: EVENT_STREAM,
  });
}

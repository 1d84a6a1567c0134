import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { errorBody } from "./openai-errors.ts";
import { type Fault, type FaultKind, sendWhole } from "./openai-faults.ts";
import { type SimulatedRequest, wantsUsage } from "./openai-request.ts";

/** An answer of the simulated model. */
export interface SimulatedAnswer {
  readonly text: string;
  /** Streamed before the text, as `delta.reasoning_content`. */
  readonly reasoning?: string;
  /** The number of chunks of the text; by default chunks of random length. */
  readonly pieces?: number;
  /** The time between two chunks, in ms. */
  readonly delayMs?: number;
  /** The `finish_reason`; null to send none. */
  readonly finish?: string | null;
  /** False to send no usage although the request asks for it. */
  readonly usage?: false;
}

interface AnswerContext {
  readonly request: SimulatedRequest;
  readonly answer: SimulatedAnswer;
  readonly usage: object;
  readonly fault: Fault | undefined;
}

/** Sends an answer as a stream if the request asks for that, else as a whole. */
export async function sendAnswer(response: ServerResponse, context: AnswerContext): Promise<void> {
  const { request, answer, usage } = context;
  if (request.body["stream"] === true) return stream(response, context);
  const message = { role: "assistant", content: answer.text, refusal: null };
  const choice = { index: 0, message, logprobs: null, finish_reason: answer.finish ?? "stop" };
  const body = { ...envelope(request.model, "chat.completion"), choices: [choice], usage };
  sendWhole(response, { status: 200, body });
}

/** Sends a chunk of the stream. `extra` is merged into its choice. */
type SendChunk = (delta: object | undefined, extra?: object) => Promise<void>;

async function stream(
  response: ServerResponse,
  { request, answer, usage, fault }: AnswerContext,
): Promise<void> {
  const sendsUsage = wantsUsage(request) && answer.usage !== false;
  const head = envelope(request.model, "chat.completion.chunk");
  const send: SendChunk = (delta, extra = {}) => {
    const choices = delta ? [{ index: 0, delta, logprobs: null, finish_reason: null, ...extra }] : [];
    return sendEvent(
      response,
      JSON.stringify({ ...head, choices, ...(sendsUsage && { usage: delta ? null : usage }) }),
    );
  };
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
  });
  await send({ role: "assistant", content: "" });
  for (const chunk of split(answer.reasoning ?? "")) await send({ reasoning_content: chunk });
  const chunks = [...split(answer.text, answer.pieces)];
  const faultAt = fault?.kind === "no-finish" ? Number.POSITIVE_INFINITY : (fault?.after ?? 0);
  for (const [index, chunk] of chunks.entries()) {
    if (fault?.kind && index >= faultAt) break;
    await send({ content: chunk });
    if (answer.delayMs) await sleep(answer.delayMs);
    if (response.destroyed) return;
  }
  if (fault?.kind && fault.kind !== "no-finish") return misbehave(fault.kind, response, fault.body);
  const finish = fault ? null : answer.finish === undefined ? "stop" : answer.finish;
  if (finish !== null) await send({}, { finish_reason: finish });
  if (sendsUsage) await send(undefined);
  await sendEvent(response, "[DONE]");
  response.end();
}

async function misbehave(kind: FaultKind, response: ServerResponse, body?: unknown): Promise<void> {
  if (kind === "reset") return void response.socket?.resetAndDestroy();
  if (kind === "error-in-stream") {
    const message = "The server had an error while processing your request. Sorry about that!";
    await sendEvent(response, JSON.stringify(body ?? errorBody({ message, type: "server_error" })));
  }
  if (kind === "junk-json") await sendEvent(response, '{"id":"chatcmpl-1","choi');
  if (kind === "stall") await keepAlive(response);
  response.end();
}

async function keepAlive(response: ServerResponse): Promise<void> {
  while (!response.destroyed) {
    response.write(": keep-alive\n\n");
    await sleep(20);
  }
}

/** Sends an event in two writes, split at a random byte, so that clients receive halves of characters and lines. */
async function sendEvent(response: ServerResponse, data: string): Promise<void> {
  const bytes = Buffer.from(`data: ${data}\n\n`);
  const half = Math.floor(Math.random() * bytes.length);
  for (const part of [bytes.subarray(0, half), bytes.subarray(half)]) {
    if (part.length === 0 || response.destroyed) continue;
    if (response.write(part)) await setImmediate();
    else await drained(response);
  }
}

/** Resolves when the connection can be written to again, or is closed. Leaves no listeners behind. */
async function drained(response: ServerResponse): Promise<void> {
  const over = new AbortController();
  const either = ["drain", "close"].map((event) => once(response, event, { signal: over.signal }));
  await Promise.race(either).finally(() => over.abort());
  await Promise.allSettled(either);
}

/** Splits a text between code points, into `count` chunks or into chunks of random length. */
function* split(text: string, count?: number): Generator<string> {
  const characters = Array.from(text);
  for (let start = 0; start < characters.length; ) {
    const size = count ? Math.ceil(characters.length / count) : 1 + Math.floor(Math.random() * 12);
    yield characters.slice(start, start + size).join("");
    start += size;
  }
}

function envelope(model: string, object: string): object {
  const id = `chatcmpl-${Math.random().toString(36).slice(2)}`;
  const created = Math.floor(Date.now() / 1000);
  return { id, object, created, model, service_tier: "default", system_fingerprint: null };
}

import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import { z } from "zod";
import type { Message } from "../model/model.ts";
import { errorBody, invalid, refusalBody, tooLong, wrongKey } from "./openai-errors.ts";
import { countTokens } from "../model/tokens.ts";

export interface ModelSimulatorOptions {
  /** 0 (the default) for any free port; the port of one that was closed brings it back. */
  readonly port?: number;
  /** The key that it accepts; empty: it asks for none. */
  readonly key?: string;
  /** The one model that it lists; it answers under any name. */
  readonly model?: string;
  /** It knows only texts, and refuses images as OpenAI does. */
  readonly blind?: true;
  /** How many tokens a request may have. */
  readonly contextTokens?: number;
  /** So many requests are remembered, the latest; all if absent. */
  readonly keep?: number;
  /** What it answers; by default the last message of the user. */
  readonly reply?: SimulatedReply | ((request: SimulatedRequest) => SimulatedReply | Promise<SimulatedReply>);
}

/** An answer of the simulated model. */
export type SimulatedReply = string | SimulatedAnswer;

export interface SimulatedAnswer {
  readonly text: string;
  /** Streamed first, as `delta.reasoning_content`. */
  readonly reasoning?: string;
  /** How many pieces the text comes in; by default pieces of chance length. */
  readonly pieces?: number;
  /** The time between two pieces, in ms. */
  readonly delayMs?: number;
  /** The `finish_reason`; null: none is ever sent. */
  readonly finish?: string | null;
  /** It sends no usage though it is asked to. */
  readonly usage?: false;
}

/** Something goes wrong with the next requests. */
export interface Fault {
  /** How many requests it befalls; by default one. */
  readonly times?: number;
  /** Refuses with this HTTP status. */
  readonly status?: number;
  /** With `status` or in the stream: JSON, or a string that is sent as it is; by default what OpenAI sends. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly kind?: FaultKind;
  /** Comes after so many pieces of the text; by default 0. */
  readonly after?: number;
}

export type FaultKind =
  | "hang" // not even headers, as long as the client waits
  | "stall" // falls silent, but for comments that keep the line open
  | "cut" // the stream ends as if it were over, without finish_reason and [DONE]
  | "reset" // the connection breaks
  | "html" // 200 with a web page
  | "error-in-stream" // an error object instead of a piece
  | "no-finish" // all the text and [DONE], but no finish_reason
  | "junk-json"; // a piece that is no JSON

/** What the simulator was asked, and what became of it. */
export interface SimulatedRequest {
  /** The whole body as it came. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly messages: readonly Message[];
  readonly model: string;
  /** The body's `user`, if it has one. */
  readonly user?: string;
  /** In ms since the epoch. */
  readonly at: number;
  /** The client went away before the end. */
  readonly aborted: boolean;
  /** Everything was sent. */
  readonly ended: boolean;
}

/** An OpenAI-compatible service on 127.0.0.1 that answers as it is told, and fails on demand. */
export interface ModelSimulator {
  readonly baseURL: string;
  readonly port: number;
  readonly key: string;
  /** All chat completions that were asked for with the right key, oldest first. */
  readonly requests: readonly SimulatedRequest[];
  /** The highest number of requests that were answered at the same time. */
  readonly mostAtOnce: number;
  /** Faults befall requests in the order in which they are given. */
  fail(fault: Fault): void;
  /** Breaks all connections. Safe to call twice. */
  close(): Promise<void>;
}

type Env = { Bindings: HttpBindings };
type Seen = { -readonly [Field in keyof SimulatedRequest]: SimulatedRequest[Field] };
/** Sends one chunk of the stream: `extra` beside the fields that every chunk has. */
type SendChunk = (delta: object | undefined, extra?: object) => Promise<void>;

/** Starts the simulator; resolves when it accepts connections. */
export async function startModelSimulator(options: ModelSimulatorOptions = {}): Promise<ModelSimulator> {
  const { key = "sk-simulator", model = "simulated-model", contextTokens = 128_000 } = options;
  const { keep = Number.POSITIVE_INFINITY } = options;
  const requests: Seen[] = [];
  const faults: { fault: Fault; left: number }[] = [];
  let running = 0;
  let mostAtOnce = 0;
  const app = new Hono<Env>();

  app.use("/v1/*", async (context, next) => {
    const given = context.req.header("authorization")?.replace(/^Bearer +/i, "");
    if (!key || given === key) return next();
    return context.json(wrongKey(given), 401);
  });
  app.get("/v1/models", (context) => {
    const entry = { id: model, object: "model", created: seconds(), owned_by: "simulator" };
    return context.json({ object: "list", data: [entry] });
  });
  app.post("/v1/chat/completions", async (context) => {
    const body: unknown = await context.req.json().catch(() => undefined);
    const parsed = requestBody.safeParse(body);
    if (!parsed.success) return context.json(invalid(parsed.error), 400);
    const { user, ...known } = parsed.data;
    const messages: readonly Message[] = known.messages;
    if (options.blind && messages.some(({ images }) => images)) {
      const message = "Invalid content type. image_url is only supported by certain models.";
      return context.json(errorBody({ message, param: "messages" }), 400);
    }
    const seen: Seen = {
      body: body as SimulatedRequest["body"],
      messages,
      model: known.model,
      ...(user === undefined ? {} : { user }),
      at: Date.now(),
      aborted: false,
      ended: false,
    };
    requests.push(seen);
    requests.splice(0, Math.max(0, requests.length - keep));
    const response = context.env.outgoing;
    running += 1;
    mostAtOnce = Math.max(mostAtOnce, running);
    response.once("close", () => {
      running -= 1;
      seen.ended = response.writableFinished;
      seen.aborted = !seen.ended;
    });
    await respond(seen, response);
    // A copy: the original may be of the kind that the server sends without looking for this mark (2.1.8).
    return RESPONSE_ALREADY_SENT.clone();
  });
  app.notFound((context) => {
    const message = `Invalid URL (${context.req.method} ${context.req.path})`;
    return context.json(errorBody({ message }), 404);
  });

  const { server, port } = await listen(app, options.port ?? 0);
  return {
    baseURL: `http://127.0.0.1:${port}/v1`,
    port,
    key,
    requests,
    get mostAtOnce() {
      return mostAtOnce;
    },
    fail: (fault) => void faults.push({ fault, left: fault.times ?? 1 }),
    close: async () => {
      const closed = server.listening ? once(server, "close") : undefined;
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };

  async function respond(seen: Seen, response: ServerResponse): Promise<void> {
    const fault = nextFault();
    if (fault?.status !== undefined) return refuse(response, { ...fault, status: fault.status });
    if (fault?.kind === "hang") return void (await once(response, "close"));
    if (fault?.kind === "html")
      return sendWhole(response, 200, "<!doctype html><title>Log in</title><p>Log in first");
    const input = await countTokens(seen.messages, seen.model);
    if (input > contextTokens) return sendWhole(response, 400, tooLong(contextTokens, input));
    const given = options.reply ?? lastWords(seen);
    const reply = typeof given === "function" ? await given(seen) : given;
    const answer = typeof reply === "string" ? { text: reply } : reply;
    const output = await countTokens((answer.reasoning ?? "") + answer.text, seen.model);
    const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
    if (seen.body["stream"] === true) return stream({ seen, answer, usage, fault, response });
    const message = { role: "assistant", content: answer.text, refusal: null };
    const choice = { index: 0, message, logprobs: null, finish_reason: answer.finish ?? "stop" };
    sendWhole(response, 200, { ...envelope(seen.model, "chat.completion"), choices: [choice], usage });
  }

  function nextFault(): Fault | undefined {
    const next = faults[0];
    if (next && (next.left -= 1) <= 0) faults.shift();
    return next?.fault;
  }
}

function listen(app: Hono<Env>, port: number): Promise<{ server: Server; port: number }> {
  return new Promise((resolve, reject) => {
    const handle = getRequestListener(app.fetch);
    const server = createServer((request, response) => void handle(request, response));
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      if (typeof address === "object" && address) resolve({ server, port: address.port });
    });
  });
}

interface Streaming {
  readonly seen: SimulatedRequest;
  readonly answer: SimulatedAnswer;
  readonly usage: object;
  readonly fault: Fault | undefined;
  readonly response: ServerResponse;
}

async function stream({ seen, answer, usage, fault, response }: Streaming): Promise<void> {
  const billed = wantsUsage(seen.body) && answer.usage !== false;
  const head = envelope(seen.model, "chat.completion.chunk");
  const send: SendChunk = (delta, extra = {}) => {
    const choices = delta ? [{ index: 0, delta, logprobs: null, finish_reason: null, ...extra }] : [];
    const bill = billed ? { usage: delta ? null : usage } : {};
    return sendEvent(response, JSON.stringify({ ...head, choices, ...bill }));
  };
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
  });
  await send({ role: "assistant", content: "" });
  for (const piece of cut(answer.reasoning ?? "")) await send({ reasoning_content: piece });
  const pieces = [...cut(answer.text, answer.pieces)];
  const faultAt = fault?.kind === "no-finish" ? Number.POSITIVE_INFINITY : (fault?.after ?? 0);
  for (const [index, piece] of pieces.entries()) {
    if (fault?.kind && index >= faultAt) break;
    await send({ content: piece });
    if (answer.delayMs) await sleep(answer.delayMs);
    if (response.destroyed) return;
  }
  if (fault?.kind && fault.kind !== "no-finish") return misbehave(fault.kind, response, fault.body);
  const finish = fault ? null : answer.finish === undefined ? "stop" : answer.finish;
  if (finish !== null) await send({}, { finish_reason: finish });
  if (billed) await send(undefined);
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

/** One event, broken in two at any byte, so that characters and lines come in halves. */
async function sendEvent(response: ServerResponse, data: string): Promise<void> {
  const bytes = Buffer.from(`data: ${data}\n\n`);
  const half = Math.floor(Math.random() * bytes.length);
  for (const part of [bytes.subarray(0, half), bytes.subarray(half)]) {
    if (part.length === 0 || response.destroyed) continue;
    if (response.write(part)) await setImmediate();
    else await drained(response);
  }
}

/** The connection has room again, or is gone; nothing is left listening. */
async function drained(response: ServerResponse): Promise<void> {
  const over = new AbortController();
  const either = ["drain", "close"].map((event) => once(response, event, { signal: over.signal }));
  await Promise.race(either).finally(() => over.abort());
  await Promise.allSettled(either);
}

/** Cuts between characters: into so many pieces, or into pieces of chance length. */
function* cut(text: string, pieces?: number): Generator<string> {
  const characters = Array.from(text);
  for (let at = 0; at < characters.length; ) {
    const size = pieces ? Math.ceil(characters.length / pieces) : 1 + Math.floor(Math.random() * 12);
    yield characters.slice(at, at + size).join("");
    at += size;
  }
}

function sendWhole(response: ServerResponse, status: number, body: unknown): void {
  refuse(response, { status, body });
}

function refuse(response: ServerResponse, fault: Fault & { readonly status: number }): void {
  const { status, body = refusalBody(status), headers } = fault;
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const type = typeof body === "string" ? "text/html; charset=utf-8" : "application/json";
  response.writeHead(status, { "content-type": type, ...headers }).end(text);
}

/** What OpenAI takes: https://platform.openai.com/docs/guides/images-vision */
const parts = z
  .array(
    z.discriminatedUnion("type", [
      z.object({ type: z.literal("text"), text: z.string() }),
      z.object({
        type: z.literal("image_url"),
        image_url: z.object({
          url: z.string().regex(/^(https?:|data:image\/(png|jpeg|gif|webp);base64,[\w+/]+={0,2}$)/),
        }),
      }),
    ]),
  )
  .min(1)
  .transform((all) => ({
    content: all.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n"),
    images: all.flatMap((part) => (part.type === "image_url" ? [part.image_url.url] : [])),
  }));

const message = z.union([
  z.object({ role: z.enum(["system", "user", "assistant"]), content: z.string() }),
  z
    .object({ role: z.literal("user"), content: parts })
    .transform(({ role, content: { content, images } }) => ({
      role,
      content,
      ...(images.length > 0 && { images }),
    })),
]);

const requestBody = z.looseObject({
  model: z.string().min(1),
  messages: z.array(message).min(1),
  user: z.string().optional(),
});

function wantsUsage(body: Readonly<Record<string, unknown>>): boolean {
  return z.object({ stream_options: z.object({ include_usage: z.literal(true) }) }).safeParse(body).success;
}

function lastWords({ messages }: SimulatedRequest): string {
  return messages.findLast(({ role }) => role === "user")?.content ?? "";
}

function envelope(model: string, object: string): object {
  const id = `chatcmpl-${Math.random().toString(36).slice(2)}`;
  return { id, object, created: seconds(), model, service_tier: "default", system_fingerprint: null };
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}

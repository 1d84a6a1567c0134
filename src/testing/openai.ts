import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { type Context, Hono } from "hono";
import { type SimulatedAnswer, sendAnswer } from "./openai-answer.ts";
import { errorBody, invalid, tooLong, wrongKey } from "./openai-errors.ts";
import { createFaultQueue, type Fault, sendWhole } from "./openai-faults.ts";
import { lastUserText, requestBody, type SimulatedRequest } from "./openai-request.ts";
import type { Message } from "../model/model.ts";
import { countTokens } from "../model/tokens.ts";

export type { Fault, FaultKind } from "./openai-faults.ts";
export type { SimulatedRequest } from "./openai-request.ts";

export interface ModelSimulatorOptions {
  /** The port to listen on; any free port by default. The port of a closed simulator brings it back. */
  readonly port?: number;
  /** The key that requests must carry; empty if none is required. */
  readonly key?: string;
  /** The only model that it lists. Requests may name any other one. */
  readonly model?: string;
  /** True to refuse images as OpenAI's text-only models do. */
  readonly blind?: true;
  /** The maximum number of tokens in a request. */
  readonly contextTokens?: number;
  /** How many of the latest requests are remembered; all by default. */
  readonly keep?: number;
  /** The answers; by default, each answer repeats the user's last message. */
  readonly reply?: SimulatedReply | ((request: SimulatedRequest) => SimulatedReply | Promise<SimulatedReply>);
}

/** An answer of the simulated model; a string for an answer with all defaults. */
export type SimulatedReply = string | SimulatedAnswer;

/** An OpenAI-compatible service on 127.0.0.1 with configurable answers and faults. */
export interface ModelSimulator {
  readonly baseURL: string;
  readonly port: number;
  readonly key: string;
  /** The valid requests for chat completions, oldest first. */
  readonly requests: readonly SimulatedRequest[];
  /** The largest number of requests that were answered at the same time. */
  readonly mostAtOnce: number;
  /** Adds a fault. Faults affect requests in the order in which they were added. */
  fail(fault: Fault): void;
  /** Closes the server and all its connections. Safe to call twice. */
  close(): Promise<void>;
}

type Env = { Bindings: HttpBindings };
type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };

/** Starts the simulator. Resolves when it accepts connections. */
export async function startModelSimulator(options: ModelSimulatorOptions = {}): Promise<ModelSimulator> {
  const { key = "sk-simulator", model = "simulated-model", contextTokens = 128_000 } = options;
  const { keep = Number.POSITIVE_INFINITY } = options;
  const requests: Mutable<SimulatedRequest>[] = [];
  const faults = createFaultQueue();
  let running = 0;
  let mostAtOnce = 0;
  const app = new Hono<Env>();

  app.use("/v1/*", async (context, next) => {
    const given = context.req.header("authorization")?.replace(/^Bearer +/i, "");
    if (!key || given === key) return next();
    return context.json(wrongKey(given), 401);
  });
  app.get("/v1/models", (context) => {
    const created = Math.floor(Date.now() / 1000);
    return context.json({
      object: "list",
      data: [{ id: model, object: "model", created, owned_by: "simulator" }],
    });
  });
  app.post("/v1/chat/completions", complete);
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
    fail: (fault) => faults.add(fault),
    close: async () => {
      const closed = server.listening ? once(server, "close") : undefined;
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };

  async function complete(context: Context<Env>): Promise<Response> {
    const body: unknown = await context.req.json().catch(() => undefined);
    const parsed = requestBody.safeParse(body);
    if (!parsed.success) return context.json(invalid(parsed.error), 400);
    const { user, model, ...known } = parsed.data;
    const messages: readonly Message[] = known.messages;
    if (options.blind && messages.some(({ images }) => images)) {
      const message = "Invalid content type. image_url is only supported by certain models.";
      return context.json(errorBody({ message, param: "messages" }), 400);
    }
    const request: Mutable<SimulatedRequest> = {
      body: body as SimulatedRequest["body"],
      messages,
      model,
      ...(user === undefined ? {} : { user }),
      at: Date.now(),
      aborted: false,
      ended: false,
    };
    requests.push(request);
    requests.splice(0, Math.max(0, requests.length - keep));
    const response = context.env.outgoing;
    track(request, response);
    await respond(request, response);
    // A clone: @hono/node-server (2.1.8) may send the original response itself, without checking for this marker.
    return RESPONSE_ALREADY_SENT.clone();
  }

  function track(request: Mutable<SimulatedRequest>, response: ServerResponse): void {
    running += 1;
    mostAtOnce = Math.max(mostAtOnce, running);
    response.once("close", () => {
      running -= 1;
      request.ended = response.writableFinished;
      request.aborted = !request.ended;
    });
  }

  async function respond(request: SimulatedRequest, response: ServerResponse): Promise<void> {
    const fault = faults.next();
    if (fault?.status !== undefined) return sendWhole(response, { ...fault, status: fault.status });
    if (fault?.kind === "hang") return void (await once(response, "close"));
    if (fault?.kind === "html")
      return sendWhole(response, {
        status: 200,
        body: "<!doctype html><title>Log in</title><p>Log in first",
      });
    const input = await countTokens(request.messages, request.model);
    if (input > contextTokens)
      return sendWhole(response, { status: 400, body: tooLong(contextTokens, input) });
    const given = options.reply ?? lastUserText(request);
    const reply = typeof given === "function" ? await given(request) : given;
    const answer = typeof reply === "string" ? { text: reply } : reply;
    const output = await countTokens((answer.reasoning ?? "") + answer.text, request.model);
    const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
    await sendAnswer(response, { request, answer, usage, fault });
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

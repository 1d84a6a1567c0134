import { once } from "node:events";
import { createServer } from "node:http";
import { inspect } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { ModelError, type ModelErrorCode } from "../../src/errors.ts";
import type { Model } from "../../src/model/model.ts";
import { createOpenAI, type OpenAIOptions } from "../../src/model/openai.ts";
import {
  type Fault,
  type FaultKind,
  type ModelSimulator,
  type ModelSimulatorOptions,
  startModelSimulator,
} from "../../src/testing/openai.ts";
import { describeModel, listen, listenToFailure } from "../../src/testing/contracts/model.ts";
import { until } from "../../src/testing/until.ts";

const DOT = "data:image/png;base64,iVBORw0KGgo=";

const closers: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closers) await close();
});

describeModel("openai", async () => {
  const simulator = await startModelSimulator({
    reply: ({ messages }) => ({
      text: `<think>a secret thought</think>\n${messages.at(-1)?.content} 你好😀`.padEnd(200, " and so on"),
      reasoning: "a secret thought",
      delayMs: 1,
    }),
  });
  return { model: connect(simulator), close: () => simulator.close() };
});

describe("an answer", () => {
  test("is told with the service's own bill, whatever the pieces are cut into", async () => {
    const { model, simulator } = await build({ reply: "你好，**世界**！😀 👩‍👩‍👧 done" });
    const { pieces, usage } = await listen(model, "Hi");
    expect(pieces.join("")).toBe("你好，**世界**！😀 👩‍👩‍👧 done");
    expect(usage).toEqual({ input: 8, output: expect.any(Number), estimated: false });
    expect(simulator.requests[0]?.body).toEqual({
      model: "m-1",
      messages: [{ role: "user", content: "Hi" }],
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  test("sends a message's role and content, and nothing else that is kept with it", async () => {
    const { model, simulator } = await build();
    const message = { role: "user", content: "Hi", at: 7 } as const;
    await listen(model, [message]);
    expect(simulator.requests[0]?.body["messages"]).toEqual([{ role: "user", content: "Hi" }]);
  });

  test("looks at images, which come as parts beside the text", async () => {
    const { model, simulator } = await build();
    await listen(model, [{ role: "user", content: "Hi", images: [DOT] }]);
    expect(simulator.requests[0]?.body["messages"]).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "Hi" },
          { type: "image_url", image_url: { url: DOT } },
        ],
      },
    ]);
  });

  test("goes on without earlier images where the model cannot look at them", async () => {
    const { model, simulator } = await build({ blind: true });
    const before = [
      { role: "user", content: "look", images: [DOT] },
      { role: "assistant", content: "nice" },
    ] as const;
    await listen(model, [...before, { role: "user", content: "why?" }]);
    expect(simulator.requests[0]?.messages).toEqual([
      { role: "user", content: "look\n[image]" },
      { role: "assistant", content: "nice" },
      { role: "user", content: "why?" },
    ]);
    const error: unknown = await listen(model, before.slice(0, 1)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "blind",
      status: 400,
      message: expect.stringContaining("image_url"),
    });
  });

  test("has an estimated bill if the service sends none", async () => {
    const { model } = await build({ reply: { text: "hello world", usage: false } });
    expect((await listen(model, "Hi")).usage).toEqual({ input: 8, output: 2, estimated: true });
  });

  test("takes the last of many bills", async () => {
    const chunk = (content: string, tokens: number, finish: string | null = null) =>
      `data: ${JSON.stringify({
        choices: [{ index: 0, delta: { content }, finish_reason: finish }],
        usage: { prompt_tokens: 5, completion_tokens: tokens },
      })}\n\n`;
    const url = await serveRaw(chunk("a", 1) + chunk("b", 2) + chunk("", 2, "stop"));
    const { pieces, usage } = await listen(createOpenAI({ apiKey: "", baseURL: url, model: "m-1" }), "Hi");
    expect(pieces).toEqual(["a", "b"]);
    expect(usage).toEqual({ input: 5, output: 2, estimated: false });
  });

  test("comes from a service that does not know stream_options, and remembers it", async () => {
    const { model, simulator } = await build({ reply: "hello" });
    simulator.fail({
      status: 400,
      body: { error: "Unrecognized request argument supplied: stream_options" },
    });
    expect((await listen(model, "Hi")).pieces.join("")).toBe("hello");
    expect((await listen(model, "Hi")).usage.estimated).toBe(true);
    expect(simulator.requests.map(({ body }) => "stream_options" in body)).toEqual([true, false, false]);
  });

  test("is whole though the line stays open after the end", async () => {
    const done = JSON.stringify({ choices: [{ delta: { content: "all" }, finish_reason: "stop" }] });
    const url = await serveRaw(`data: ${done}\n\ndata: [DONE]\n\n`, { leaveOpen: true });
    const model = createOpenAI({ apiKey: "", baseURL: url, model: "m-1", stallMs: 50 });
    expect((await listen(model, "Hi")).pieces).toEqual(["all"]);
  });

  test("may think for long, as long as the thoughts come", async () => {
    const { model } = await build(
      { reply: { text: "yes", reasoning: "hm ".repeat(100) } },
      { firstTokenMs: 2000, stallMs: 2000 },
    );
    expect((await listen(model, "Hi")).pieces.join("")).toBe("yes");
  });

  test("that is not waited for ends the request", async () => {
    const { model, simulator } = await build({ reply: { text: "word ".repeat(2000), delayMs: 5 } });
    const controller = new AbortController();
    const reason = new Error("stop");
    const answer = model.answer({ messages: [{ role: "user", content: "Hi" }] }, controller.signal);
    await answer.next();
    controller.abort(reason);
    await expect(answer.next()).rejects.toBe(reason);
    await until(() => simulator.requests[0]?.aborted);

    for await (const piece of model.answer({ messages: [{ role: "user", content: "Hi" }] }, signal())) {
      if (piece) break;
    }
    await until(() => simulator.requests[1]?.aborted);
    expect(simulator.requests.map(({ ended }) => ended)).toEqual([false, false]);
  });

  test("that does not even begin can be aborted", async () => {
    const { model, simulator } = await build();
    simulator.fail({ kind: "hang" });
    const controller = new AbortController();
    const answer = model.answer({ messages: [{ role: "user", content: "Hi" }] }, controller.signal).next();
    await until(() => simulator.requests.length === 1);
    controller.abort(new Error("stop"));
    await expect(answer).rejects.toThrow("stop");
    await until(() => simulator.requests[0]?.aborted);
  });

  test("can be aborted while it waits to try again", async () => {
    const warnings: string[] = [];
    const log = { warn: (message: string) => void warnings.push(message) };
    const { model, simulator } = await build({}, { log });
    simulator.fail({ status: 429, headers: { "retry-after": "15" } });
    const controller = new AbortController();
    const answer = model.answer({ messages: [{ role: "user", content: "Hi" }] }, controller.signal).next();
    await until(() => warnings.length === 1);
    controller.abort(new Error("stop"));
    await expect(answer).rejects.toThrow("stop");
    expect(warnings[0]).toContain("Trying again in 15000 ms (attempt 2 of 5)");
  });
});

describe("before the first word it is tried again after", () => {
  const faults: readonly Fault[] = [
    { status: 408 },
    { status: 409 },
    { status: 429, headers: { "retry-after": "0" } },
    { status: 429, headers: { "retry-after-ms": "1" } },
    { status: 429, headers: { "retry-after": new Date(0).toUTCString() } },
    { status: 500 },
    { status: 502, body: "<html><body>Bad Gateway</body></html>" },
    { status: 503 },
    { status: 529, body: { error: { type: "overloaded_error", message: "Overloaded" } } },
    { kind: "hang" },
    { kind: "stall" },
    { kind: "cut" },
    { kind: "reset" },
    { kind: "html" },
    { kind: "error-in-stream" },
    { kind: "junk-json" },
  ];
  test.concurrent.each(faults)("%j", async (fault) => {
    const silent = fault.kind === "hang" || fault.kind === "stall";
    const { model, simulator } = await build({ reply: "hello" }, silent ? { firstTokenMs: 1500 } : {});
    simulator.fail(fault);
    expect((await listen(model, "Hi")).pieces.join("")).toBe("hello");
    expect(simulator.requests).toHaveLength(2);
  });

  test("a stall in the middle of its thoughts", async () => {
    let asked = 0;
    const url = await serveRaw(() => {
      asked += 1;
      const delta = asked === 1 ? { reasoning: "hm" } : { content: "hello" };
      return `data: ${JSON.stringify({ choices: [{ delta, finish_reason: asked === 1 ? null : "stop" }] })}\n\n`;
    });
    const model = createOpenAI({ apiKey: "", baseURL: url, model: "m-1", stallMs: 50 });
    expect((await listen(model, "Hi")).pieces).toEqual(["hello"]);
  });

  test("but five times at most", async () => {
    const { model, simulator } = await build();
    simulator.fail({ status: 503, times: 9, headers: { "retry-after": "0" } });
    expect((await listenToFailure(model)).error).toMatchObject({
      code: "busy",
      status: 503,
      retryAfterMs: 0,
      tries: { count: 5, ms: expect.any(Number) },
    });
    expect(simulator.requests).toHaveLength(5);
  });

  test("but not when its time is over", async () => {
    const { model, simulator } = await build({}, { budgetMs: 0 });
    simulator.fail({ status: 503 });
    expect((await listenToFailure(model)).error).toMatchObject({ code: "busy", tries: { count: 1 } });
    expect(simulator.requests).toHaveLength(1);
  });

  test("but not if the service wants a longer wait than allowed", async () => {
    const { model, simulator } = await build({}, { maxWaitMs: 5000 });
    simulator.fail({ status: 429, headers: { "retry-after": "6" } });
    expect((await listenToFailure(model)).error).toMatchObject({
      code: "busy",
      status: 429,
      retryAfterMs: 6000,
    });
    expect(simulator.requests).toHaveLength(1);
  });
});

describe("after the first word the partial answer is kept after", () => {
  const faults: readonly (readonly [FaultKind, ModelErrorCode])[] = [
    ["stall", "stalled"],
    ["cut", "cut"],
    ["reset", "unreachable"],
    ["error-in-stream", "unreachable"],
    ["junk-json", "bad_answer"],
    ["no-finish", "cut"],
  ];
  test.concurrent.each(faults)("%s: %s", async (kind, code) => {
    const { model, simulator } = await build(
      { reply: { text: "one two three", pieces: 13 } },
      kind === "stall" ? { stallMs: 300 } : {},
    );
    simulator.fail({ kind, after: 3 });
    const { heard, error } = await listenToFailure(model);
    expect(heard).toBe(kind === "no-finish" ? "one two three" : "one");
    expect(error).toBeInstanceOf(ModelError);
    expect(error).toMatchObject({ code });
    expect(simulator.requests).toHaveLength(1);
  });

  test.each([
    [{ text: "hello", finish: "length" }, "cut", "hello", /output limit/],
    [{ text: "hello", finish: "content_filter" }, "filtered", "hello", /content_filter/],
    [{ text: "hello", finish: "" }, "cut", "hello", /finish_reason/],
    [{ text: "", reasoning: "hm" }, "empty", "", /empty answer/],
    [{ text: "<think>hm" }, "empty", "", /empty answer/],
    [{ text: " \n " }, "empty", "", /empty answer/],
    [{ text: "", reasoning: "hm", finish: "length" }, "empty", "", /output limit/],
  ])("%j: %s", async (reply, code, partial, message) => {
    const { model, simulator } = await build({ reply });
    const { heard, error } = await listenToFailure(model);
    expect(heard).toBe(partial);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(simulator.requests).toHaveLength(1);
  });
});

describe("a refusal is sorted", () => {
  const cases: readonly (readonly [string, number, unknown, ModelErrorCode])[] = [
    [
      "no credit",
      429,
      { error: { code: "insufficient_quota", message: "You exceeded your current quota" } },
      "quota",
    ],
    ["no credit", 402, { error: { message: "Insufficient Balance" } }, "quota"],
    [
      "a revoked key",
      401,
      { error: { code: "key_revoked", message: "This API key was revoked" } },
      "revoked",
    ],
    ["a closed account", 403, { error: { code: "account_deactivated", message: "…" } }, "revoked"],
    ["a wrong key", 401, { error: { message: "Incorrect API key" } }, "key"],
    ["a wrong key", 400, [{ error: { code: 400, message: "API key not valid." } }], "key"],
    ["a forbidden country", 403, { error: { code: "unsupported_country_region_territory" } }, "key"],
    ["an unknown model (Ollama)", 404, { error: "model 'm-1' not found" }, "not_found"],
    [
      "a model without access",
      403,
      { error: { code: "model_not_found", message: "no access" } },
      "not_found",
    ],
    ["a wrong URL", 405, "<h1>Method Not Allowed</h1>", "not_found"],
    [
      "OpenAI's context",
      400,
      { error: { code: "context_length_exceeded", message: "too long" } },
      "too_long",
    ],
    ["llama.cpp's context", 400, { error: { type: "exceed_context_size_error", n_ctx: 4096 } }, "too_long"],
    ["vLLM's context", 400, { object: "error", message: "maximum context length is 4096" }, "too_long"],
    ["more than a minute's tokens", 429, { error: { message: "Request too large for m-1" } }, "too_long"],
    ["a proxy's limit", 413, "<h1>Request Entity Too Large</h1>", "too_long"],
    ["a content policy", 400, { error: { code: "content_policy_violation" } }, "filtered"],
    ["a strange field", 400, { detail: [{ loc: ["body"], msg: "temperature" }] }, "bad_request"],
    ["nothing said", 422, "", "bad_request"],
    ["JSON instead of a stream", 200, { choices: [] }, "bad_answer"],
  ];
  test.concurrent.each(cases)("%s: %i", async (_, status, body, code) => {
    const { model, simulator } = await build();
    simulator.fail({ status, body, times: 5, headers: { "retry-after": "0" } });
    const { heard, error } = await listenToFailure(model);
    expect(heard).toBe("");
    expect(error).toMatchObject({ name: "ModelError", code, status });
    expect(simulator.requests).toHaveLength(code === "bad_answer" ? 5 : 1);
  });

  test("the simulator's own context limit", async () => {
    const { model } = await build({ contextTokens: 50 });
    expect((await listenToFailure(model, "word ".repeat(100))).error).toMatchObject({ code: "too_long" });
  });

  test("a wait that is asked for is busy, not too long", async () => {
    const { model, simulator } = await build();
    const body = { error: { message: "Too many tokens, please wait before trying again." } };
    simulator.fail({ status: 429, body, headers: { "retry-after": "60" } });
    expect((await listenToFailure(model)).error).toMatchObject({ code: "busy" });
  });

  test("an error in the stream, by its own code", async () => {
    const error = { code: 400, type: "BadRequestError", message: "the context window is full" };
    const url = await serveRaw(`data: ${JSON.stringify({ error })}\n\n`);
    const model = createOpenAI({ apiKey: "", baseURL: url, model: "m-1" });
    expect((await listenToFailure(model)).error).toMatchObject({ code: "too_long", status: 400 });
  });
});

describe("its errors", () => {
  test("say what happened, to what, and what to do", async () => {
    const { model, simulator } = await build();
    simulator.fail({ status: 400, body: { object: "error", message: "no such  field", code: 400 } });
    const { error } = await listenToFailure(model);
    const host = new URL(simulator.baseURL).host;
    expect(error).toHaveProperty(
      "message",
      `The model m-1 at ${host} refused the request (400): no such field. ` +
        "Check that the service supports OpenAI's chat completions and this model.",
    );
  });

  test("say where nobody listens", async () => {
    const simulator = await startModelSimulator();
    await simulator.close();
    const { error } = await listenToFailure(connect(simulator));
    expect(error).toMatchObject({ code: "unreachable", message: expect.stringContaining("ECONNREFUSED") });
  });

  test("say which host has no address", async () => {
    const model = createOpenAI({ apiKey: "k-123456", baseURL: "http://nowhere.invalid/v1", model: "m-1" });
    const { error } = await listenToFailure(model);
    expect(error).toMatchObject({ code: "unreachable", message: expect.stringContaining("nowhere.invalid") });
  });

  const key = "sk-proj-Abcdef1234567890";
  test.each([
    `Incorrect API key provided: ${key}.`,
    "Incorrect API key provided: sk-proj-********7890.",
    `${"word ".repeat(78)} ${key}`,
    `header "Authorization: Bearer ${key}" is not accepted`,
  ])("never hold the key, even if the service says %j", async (message) => {
    const { model, simulator } = await build({ key }, { apiKey: key });
    simulator.fail({ status: 401, body: { error: { message } } });
    const { error } = await listenToFailure(model);
    expect(error).toMatchObject({ code: "key" });
    expect(inspectAll(error)).not.toMatch(/Abcdef|sk-proj|7890/);
  });

  test("never hold a wrong key, as the simulator repeats it", async () => {
    const { model, simulator } = await build({}, { apiKey: "other-secret-key" });
    const { error } = await listenToFailure(model);
    expect(error).toMatchObject({ code: "key", status: 401 });
    expect(inspectAll(error)).not.toContain("secret");
    expect(simulator.requests).toHaveLength(0);
  });

  test.each(["api.openai.com/v1", "ftp://host/v1", "http://ann:pass@host/v1", ""])(
    "refuse the URL %j",
    (baseURL) => {
      expect(() => createOpenAI({ apiKey: "", baseURL, model: "m-1" })).toThrow(/^OPENAI_BASE_URL must be/);
      expect(() => createOpenAI({ apiKey: "", baseURL, model: "m-1" })).not.toThrow(/pass@/);
    },
  );
});

test("takes a context that it is told, or a careful one", () => {
  const context = (baseURL?: string, contextTokens?: number) =>
    createOpenAI({
      apiKey: "",
      model: "m-1",
      ...(baseURL ? { baseURL } : {}),
      ...(contextTokens ? { contextTokens } : {}),
    }).contextTokens;
  expect(context()).toBe(32_768);
  expect(context("http://127.0.0.1:11434/v1")).toBe(4096);
  expect(context("http://127.0.0.1:11434/v1", 8192)).toBe(8192);
});

async function build(
  simulated: ModelSimulatorOptions = {},
  options: Partial<OpenAIOptions> = {},
): Promise<{ model: Model; simulator: ModelSimulator }> {
  const simulator = await startModelSimulator(simulated);
  closers.push(() => simulator.close());
  return { model: connect(simulator, options), simulator };
}

function connect(simulator: ModelSimulator, options: Partial<OpenAIOptions> = {}): Model {
  return createOpenAI({ apiKey: simulator.key, baseURL: simulator.baseURL, model: "m-1", ...options });
}

/** A service that answers everything with these events, as they are. */
async function serveRaw(events: string | (() => string), { leaveOpen = false } = {}): Promise<string> {
  const server = createServer((_, response) => {
    const text = typeof events === "string" ? events : events();
    response.writeHead(200, { "content-type": "text/event-stream" }).write(text);
    if (!leaveOpen && text.includes('"stop"')) response.end();
    if (text.includes('"error"')) response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : address}/v1`;
}

function signal(): AbortSignal {
  return new AbortController().signal;
}

/** Everything that a log could show of an error. */
function inspectAll(error: unknown): string {
  return inspect(error, { depth: 20, showHidden: true });
}

import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { createOpenAI } from "../../src/model/openai.ts";
import { until } from "../../src/testing/until.ts";

type Body = Readonly<Record<string, unknown>>;

const event = (fields: object) => `data: ${JSON.stringify(fields)}\n\n`;
const FINE = event({ choices: [{ delta: { content: "fine" }, finish_reason: "stop" }] });

/** A service that answers as it is told, and a model behind it. */
async function start(answer: (body: Body, response: ServerResponse) => void) {
  const asked: Body[] = [];
  const warnings: string[] = [];
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      asked.push(body as Body);
      response.setHeader("content-type", "text/event-stream");
      answer(body as Body, response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as { port: number };
  const model = createOpenAI({
    apiKey: "",
    baseURL: `http://127.0.0.1:${port}/v1`,
    model: "m-1",
    budgetMs: 0,
    stallMs: 200,
    maxCompletionTokens: 500,
    log: { warn: (message) => void warnings.push(message) },
  });
  const ask = async () => {
    const pieces: string[] = [];
    const request = { messages: [{ role: "user", content: "hi" }] } as const;
    for await (const piece of model.answer(request, new AbortController().signal)) pieces.push(piece);
    return pieces.join("");
  };
  return { ask, asked, warnings };
}

test("the limit for an answer goes along with each question", async () => {
  const { ask, asked } = await start((_, response) => response.end(FINE));
  expect(await ask()).toBe("fine");
  expect(asked[0]).toMatchObject({ max_completion_tokens: 500 });
});

test.each([
  [
    "an older service knows the older name",
    ["max_completion_tokens"],
    { max_tokens: 500, stream_options: { include_usage: true } },
  ],
  [
    "a service that knows neither is asked without, which stands in the log",
    ["max_completion_tokens", "max_tokens"],
    { stream_options: { include_usage: true } },
  ],
  [
    "a service that knows nothing of all that is still asked",
    ["max_completion_tokens", "max_tokens", "stream_options"],
    {},
  ],
])("%s", async (_, unknown, expected) => {
  const { ask, asked, warnings } = await start((body, response) => {
    const found = unknown.find((name) => name in body);
    if (found === undefined) return void response.end(FINE);
    const detail = [{ type: "extra_forbidden", loc: ["body", found], msg: "Extra inputs are not permitted" }];
    response.writeHead(422, { "content-type": "application/json" }).end(JSON.stringify({ detail }));
  });
  expect(await ask()).toBe("fine");
  const { model: _model, messages: _messages, stream: _stream, ...rest } = asked.at(-1) ?? {};
  expect(rest).toEqual(expected);
  expect(warnings.filter((line) => line.includes("OPENAI_MAX_COMPLETION_TOKENS"))).toHaveLength(
    unknown.includes("max_tokens") ? 1 : 0,
  );
  // It is remembered.
  const before = asked.length;
  await ask();
  expect(asked.length).toBe(before + 1);
});

test("a limit that is too high for the service is told, and not left out", async () => {
  const { ask } = await start((_, response) => {
    const error = { message: "max_completion_tokens is too large: 500. This model supports at most 100." };
    response.writeHead(400, { "content-type": "application/json" }).end(JSON.stringify({ error }));
  });
  await expect(ask()).rejects.toMatchObject({ message: expect.stringContaining("too large") });
});

test("a service that goes on and on after its answer is not listened to", async () => {
  let gone = false;
  const { ask } = await start((_, response) => {
    response.write(FINE);
    const timer = setInterval(() => response.write(event({ choices: [] })), 20);
    response.on("close", () => {
      gone = true;
      clearInterval(timer);
    });
  });
  expect(await ask()).toBe("fine");
  await until(() => gone);
});

test("an event without end is not kept", async () => {
  let gone = false;
  let sent = 0;
  const { ask } = await start((_, response) => {
    const piece = Buffer.alloc(1_000_000, "x");
    response.write("data: ");
    const pour = () => {
      while (!gone && sent < 400) {
        sent += 1;
        if (!response.write(piece)) return void response.once("drain", pour);
      }
    };
    response.on("close", () => (gone = true));
    pour();
  });
  await expect(ask()).rejects.toMatchObject({
    message: expect.stringContaining("an event of more than 8 MB"),
  });
  await until(() => gone);
  expect(sent).toBeLessThan(100);
});

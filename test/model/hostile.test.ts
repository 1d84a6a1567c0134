import { once } from "node:events";
import { createServer } from "node:http";
import * as fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { ModelError } from "../../src/errors.ts";
import type { Model, Usage } from "../../src/model/model.ts";
import { createOpenAI } from "../../src/model/openai.ts";
import { runs } from "../support/runs.ts";

/** What stands where something else is expected. */
const odd = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(null, 0, -1, 0.5, 1e300, "", "stop", "__proto__", [], [null], {}),
);
const mostly = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 9, arbitrary }, { weight: 1, arbitrary: odd });
const some = { requiredKeys: [] };
const delta = fc.record(
  { content: mostly(fc.string()), reasoning: odd, ["__proto__"]: odd, constructor: odd },
  some,
);
const choice = fc.record(
  { delta: mostly(delta), finish_reason: mostly(fc.constantFrom(null, "stop")) },
  some,
);
const usage = fc.record({ prompt_tokens: mostly(fc.nat()), completion_tokens: mostly(fc.nat()) }, some);
const chunk = fc.record(
  { choices: mostly(fc.array(mostly(choice), { maxLength: 2 })), usage: mostly(usage), ["__proto__"]: odd },
  some,
);
/** A line of the stream: mostly a chunk, else any JSON, or none. */
const line = fc.oneof(
  { weight: 8, arbitrary: mostly(chunk).map((value) => `data: ${JSON.stringify(value)}`) },
  { weight: 1, arbitrary: fc.string().map((text) => text.replace(/[\r\n]/g, " ")) },
  { weight: 1, arbitrary: fc.constantFrom("data: {", "data:", ": hello", "event: error", "data: [DONE]") },
);

test("whatever a service sends becomes text and a bill, or an error of ours", async () => {
  const { model, answerWith } = await start();
  const outcomes = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 6 }), async (lines) => {
      answerWith(lines.join("\n\n").concat("\n\n"));
      const { text, usage, error } = await hear(model);
      outcomes.add(error instanceof ModelError ? error.code : "answered");
      expect(typeof text).toBe("string");
      if (usage) {
        const { input, output } = usage;
        expect([input, output].every((count) => Number.isSafeInteger(count) && count >= 0)).toBe(true);
      } else expect(error).toBeInstanceOf(ModelError);
      expect(Object.keys(Object.prototype)).toEqual([]);
    }),
    { numRuns: runs(105) },
  );
  expect([...outcomes]).toEqual(expect.arrayContaining(["answered", "cut", "bad_answer"]));
});

test.each([
  ["a chunk that is null", "data: null\n\n"],
  ["a usage beyond all numbers", 'data: {"usage":{"prompt_tokens":1e999,"completion_tokens":-1}}\n\n'],
  ["a reason that is no word", 'data: {"choices":[{"delta":{},"finish_reason":{"a":1}}]}\n\n'],
  ["foreign keys", 'data: {"__proto__":{"polluted":1},"choices":{"__proto__":{"polluted":1}}}\n\n'],
])("%s is passed over", async (_, events) => {
  const { model, answerWith } = await start();
  answerWith(`${events}data: {"choices":[{"delta":{"content":"fine"},"finish_reason":"stop"}]}\n\n`);
  const { text, usage } = await hear(model);
  expect(text).toBe("fine");
  expect(usage).toMatchObject({ estimated: true });
  expect("polluted" in {}).toBe(false);
});

test("half a character in the question does not spoil the request", async () => {
  const { model, answerWith, asked } = await start();
  answerWith('data: {"choices":[{"delta":{"content":"fine"},"finish_reason":"stop"}]}\n\n');
  await hear(model, "a\ud83d b 😀");
  expect(asked().at(-1)).toContain("a\uFFFD b 😀");
});

test.each([
  ["a word without end", `data: ${JSON.stringify({ error: { message: "a".repeat(3_000_000) } })}\n\n`, 200],
  ["a page of brackets", "<".repeat(3_000_000), 502],
  ["a page of scripts", "<script ".repeat(400_000), 503],
  ["stars", JSON.stringify({ error: { message: "*".repeat(3_000_000) } }), 400],
])("a failure that is told with %s does not hold the program up", async (_, answer, status) => {
  const { model, answerWith } = await start();
  answerWith(answer, status);
  const { error } = await hear(model);
  expect(error).toBeInstanceOf(ModelError);
  expect(error instanceof Error && error.message.length).toBeLessThan(800);
});

test("a model that never ends is cut off", async () => {
  const { model, answerWith } = await start();
  const chunk = (content: string) => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`;
  answerWith(chunk("\n".repeat(5000)).repeat(10) + chunk("again ".repeat(50_000)).repeat(10));
  const { text, error } = await hear(model);
  expect(error).toMatchObject({
    code: "cut",
    message: expect.stringContaining("more than 1000000 characters"),
  });
  expect(text.length).toBeGreaterThan(500_000);
  expect(text.length).toBeLessThan(1_400_000);
});

/** A service that says anything, and a model behind it that tries once. */
async function start() {
  let events = "";
  let status = 200;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    request.setEncoding("utf8");
    let body = "";
    request.on("data", (piece: string) => (body += piece));
    request.on("end", () => {
      asked.push(body);
      response.writeHead(status, { "content-type": "text/event-stream" }).end(events);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const baseURL = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/v1`;
  const model = createOpenAI({ apiKey: "", baseURL, model: "m-1", budgetMs: 0 });
  const answerWith = (text: string, code = 200) => {
    events = text;
    status = code;
  };
  return { model, answerWith, asked: () => asked };
}

async function hear(
  model: Model,
  question = "Hi",
): Promise<{ text: string; usage?: Usage; error?: unknown }> {
  let text = "";
  try {
    const messages = [{ role: "user", content: question }] as const;
    const pieces = model.answer({ messages }, new AbortController().signal);
    for (let next = await pieces.next(); ; next = await pieces.next()) {
      if (next.done) return { text, usage: next.value };
      text += next.value;
    }
  } catch (error) {
    return { text, error };
  }
}

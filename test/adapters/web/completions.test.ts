import { startModelProgram } from "../../support/model-program.ts";
import OpenAI from "openai";
import { expect, test } from "vitest";
import { type ModelSimulatorOptions } from "../../../src/testing/openai.ts";
import { until } from "../../../src/testing/until.ts";

/** A program, and OpenAI's own client with a key of someone called Ann. */
async function openClient(reply: ModelSimulatorOptions["reply"]) {
  const { model, url, key } = await startModelProgram({ ...(reply !== undefined && { reply }) });
  const client = (apiKey: string) => new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 });
  return { model, client, openai: client(key) };
}

const ask = (content: string, model = "assistant") => ({
  model,
  messages: [{ role: "user" as const, content }],
});

test("OpenAI's client gets an answer, whole or as a stream, of a persona that remembers", async () => {
  const text = "# Rain\n\n**Water** that falls, `code` and all.\n";
  const { openai, model } = await openClient({ text, pieces: 10, delayMs: 10 });
  const whole = await openai.chat.completions.create(ask("why is rain?"));
  expect(whole.choices[0]?.message.content).toBe(text);
  expect(whole.usage?.total_tokens).toBeGreaterThan(0);

  const stream = await openai.chat.completions.create({
    ...ask("and snow?"),
    stream: true,
    stream_options: { include_usage: true },
  });
  const pieces: string[] = [];
  let total = 0;
  for await (const { choices, usage } of stream) {
    pieces.push(choices[0]?.delta.content ?? "");
    total = usage?.total_tokens ?? total;
  }
  expect(pieces.join("")).toBe(text);
  expect(pieces.filter(Boolean).length).toBeGreaterThan(3);
  expect(total).toBeGreaterThan(0);
  const asked = model.requests
    .at(-1)
    ?.messages.map(({ content }) => content)
    .slice(1);
  expect(asked).toEqual(["why is rain?", text, "and snow?"]);
});

test("images may be part of a message, as data: URLs; nothing is fetched from elsewhere", async () => {
  const { openai, model } = await openClient("I see.");
  const url =
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  const look = (address: string) =>
    openai.chat.completions.create({
      model: "assistant",
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "what is this?" },
            { type: "image_url", image_url: { url: address } },
          ],
        },
      ],
    });
  expect((await look(url)).choices[0]?.message.content).toBe("I see.");
  expect(model.requests.at(-1)?.messages.at(-1)).toEqual({
    role: "user",
    content: "what is this?",
    images: [url],
  });
  await expect(look("http://127.0.0.1:1/a.png")).rejects.toMatchObject({ status: 400 });
});

test("each user that requests name has a conversation, and the model's name chooses the persona", async () => {
  const { openai, model } = await openClient("fine");
  await openai.chat.completions.create({ ...ask("one"), user: "x" });
  await openai.chat.completions.create({ ...ask("two", "translator"), user: "y" });
  expect(
    model.requests
      .at(-1)
      ?.messages.map(({ content }) => content)
      .slice(1),
  ).toEqual(["two"]);
  expect(model.requests.at(-1)?.messages[0]?.content).toContain("translat");
  expect((await openai.models.list()).data.map(({ id }) => id)).toEqual(
    expect.arrayContaining(["assistant", "simulated"]),
  );
});

test("users whose names are long and begin alike have a conversation each", async () => {
  const { openai, model } = await openClient("fine");
  const customer = "organisation-00000000-0000-0000-0000-customer-";
  await openai.chat.completions.create({ ...ask("a secret"), user: `${customer}1` });
  await openai.chat.completions.create({ ...ask("what did I say?"), user: `${customer}2` });
  expect(JSON.stringify(model.requests.at(-1)?.messages)).not.toContain("a secret");
  await openai.chat.completions.create({ ...ask("and I?"), user: `${customer}1` });
  expect(JSON.stringify(model.requests.at(-1)?.messages)).toContain("a secret");
});

test("what cannot be done is an error as OpenAI's clients know it", async () => {
  const { openai, client } = await openClient("fine");
  await expect(client("wrong").chat.completions.create(ask("hi"))).rejects.toMatchObject({ status: 401 });
  await expect(openai.chat.completions.create(ask("hi", "gpt-nonsense"))).rejects.toMatchObject({
    status: 404,
  });
  const last = { model: "assistant", messages: [{ role: "assistant" as const, content: "x" }] };
  await expect(openai.chat.completions.create(last)).rejects.toMatchObject({
    status: 400,
    type: "invalid_request_error",
    message: "400 The last message must be the user's, with a text or images.",
  });
  await expect(openai.embeddings.create({ model: "assistant", input: "x" })).rejects.toMatchObject({
    status: 404,
    type: "invalid_request_error",
  });
  const tooMuch = openai.chat.completions.create(ask("x".repeat(40_000_000)));
  await expect(tooMuch).rejects.toMatchObject({ status: 413, type: "invalid_request_error" });
});

test("a client that goes away stops its answer", async () => {
  const { openai, model } = await openClient({ text: "on and on ".repeat(1000), pieces: 500, delayMs: 50 });
  const stream = await openai.chat.completions.create({ ...ask("go on"), stream: true });
  for await (const { choices } of stream) if (choices[0]?.delta.content) break;
  stream.controller.abort();
  await until(() => model.requests.at(-1)?.aborted === true, "the request to the model to end");
});

import { startModelProgram } from "../support/model-program.ts";
import { expect, test } from "vitest";
import { MAX_TEXT } from "../../src/event.ts";
import { scriptedModel, talk } from "../support/talk.ts";
import { until } from "../../src/testing/until.ts";
import { openWorld } from "../support/world.ts";

const TOO_LONG = `Read this: ${"word ".repeat(MAX_TEXT / 4)}`;

test("what is too long is not sent to the model; its author is told so, in their language", async () => {
  const { telegram, model } = await openWorld();
  telegram.say("ann", TOO_LONG);
  telegram.say("bo", `请看：${"字".repeat(MAX_TEXT)}`, { locale: "zh-hans" });
  await until(() => telegram.shows("ann").length > 0 && telegram.shows("bo").length > 0);
  expect(telegram.shows("ann")).toEqual([
    expect.stringMatching(/^Your message that begins with Read this: .{20,40}… has 125011 characters/),
  ]);
  expect(telegram.shows("bo")).toEqual([
    expect.stringMatching(/^你以 请看：字+… 开头的消息有 100003 个字符/),
  ]);
  expect(model.requests).toEqual([]);
  telegram.say("ann", "and this?");
  await until(() => model.requests.length === 1);
});

test("what is just short enough is read to its end", async () => {
  const { telegram, model } = await openWorld({ contextTokens: 1_000_000 });
  telegram.say("ann", `${"word ".repeat(MAX_TEXT / 5 - 1)}last.`);
  await until(() => model.requests.length > 0);
  expect(model.requests[0]?.messages.at(-1)?.content).toHaveLength(MAX_TEXT);
});

test("the web chat's API and OpenAI's clients are refused with a sentence, and nothing of it is kept", async () => {
  const { model, url, key } = await startModelProgram();
  const ask = (content: string) =>
    fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "assistant", messages: [{ role: "user", content }] }),
    });
  const refused = await ask("a\n".repeat(MAX_TEXT));
  expect(refused.status).toBe(413);
  expect(await refused.json()).toMatchObject({
    error: { message: expect.stringContaining("the limit is 100000") as string },
  });
  expect((await ask("hello")).status).toBe(200);
  expect(
    model.requests.flatMap(({ messages }) => messages.filter(({ role }) => role === "user")),
  ).toHaveLength(1);
});

test("what a command was given comes back shortened, and means nothing", async () => {
  const options = {
    personas: new Map([
      ["plain", "Plain."],
      ["cook", "Cook."],
    ]),
    model: scriptedModel(),
  };
  const said = `/persona [click](http://evil.example) ${"a\n".repeat(49_000)}`;
  const printed = await talk([said], options);
  expect(printed).toContain("There is no persona `[click](http://evil.example)");
  expect(printed.length).toBeLessThan(300);
  expect(
    (
      await talk([said.replace("persona", "model")], {
        ...options,
        model: [options.model, scriptedModel({ name: "m-2" })],
      })
    ).length,
  ).toBeLessThan(300);
});

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type ContextParts, fitContext, inputBudget } from "../../src/model/context.ts";
import type { Message } from "../../src/model/model.ts";
import { countTokens } from "../../src/model/tokens.ts";

const why: Message = { role: "user", content: "why?" };

test("counts as OpenAI's tokenizers do", async () => {
  expect(await countTokens("hello world")).toBe(2);
  expect(await countTokens("")).toBe(0);
  expect(await countTokens([{ role: "user", content: "hello world" }])).toBe(9);
  // The newer encoding knows more Chinese words.
  const chinese = "程序员使用模型来回答问题";
  expect(await countTokens(chinese, "gpt-4o")).toBeLessThan(await countTokens(chinese, "gpt-4-0613"));
});

test("counts what reads like a special token as text", async () => {
  expect(await countTokens("<|endoftext|>")).toBeGreaterThan(1);
});

test.each([
  ["one letter", "a", 1 / 8],
  ["spaces", " ", 1 / 128],
  ["emoji", "😀", 1],
  ["unbroken Chinese", "中文字符测试", 3],
  ["prose", "The quick brown fox jumps over the dog. ", 9],
])("reckons a megabyte of %s without hanging", async (_, unit, tokensPerUnit) => {
  const units = Math.ceil(1e6 / unit.length);
  const tokens = await countTokens(unit.repeat(units));
  expect(tokens).toBeGreaterThan(units * tokensPerUnit * 0.8);
  expect(tokens).toBeLessThan(units * tokensPerUnit * 1.25);
});

test("sends everything when it fits: persona, history, question", async () => {
  const messages = talk(2);
  const context = await fitContext({ system: "Be brief.", messages, question: why, budget: 1000 });
  expect(context).toEqual([
    { role: "system", content: "Be brief." },
    ...messages,
    { role: "user", content: "why?" },
  ]);
});

test("lets the oldest turns go first, and whole", async () => {
  const messages = talk(50);
  const parts = { system: "Be brief.", messages, question: why, budget: 200 };
  const context = await fitContext(parts);
  const kept = context.slice(1, -1);
  expect(kept).toEqual(messages.slice(-kept.length));
  expect(kept.length).toBeGreaterThan(0);
  expect(kept.length % 2).toBe(0);
  const smaller = await fitContext({ ...parts, budget: 100 });
  expect(smaller.length).toBeLessThan(context.length);
});

test("sends persona and question alone when not even they fit", async () => {
  const question: Message = { role: "user", content: "long ".repeat(500) };
  const parts = { system: "Be brief.", messages: talk(3), question, budget: 100 };
  expect((await fitContext(parts)).map(({ role }) => role)).toEqual(["system", "user"]);
});

test("fits any budget, for any history", async () => {
  const message = fc.record<Message>({
    role: fc.constantFrom("user", "assistant"),
    content: fc.string({ maxLength: 200 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 20 }), fc.nat(500), async (messages, budget) => {
      const parts: ContextParts = { messages, question: why, budget };
      const context = await fitContext(parts);
      const kept = context.slice(0, -1);
      expect(context.at(-1)).toEqual({ role: "user", content: "why?" });
      expect(kept).toEqual(messages.slice(messages.length - kept.length));
      expect(kept[0]?.role).not.toBe("assistant");
      expect(kept.length === 0 || (await countTokens(context)) <= budget).toBe(true);
    }),
  );
});

test("keeps room for the answer", () => {
  expect(inputBudget(4096)).toBe(3072);
  expect(inputBudget(128_000)).toBe(128_000 - 4096);
});

function talk(turns: number): Message[] {
  return Array.from({ length: turns }, (_, turn): Message[] => [
    { role: "user", content: `question number ${turn}` },
    { role: "assistant", content: `answer number ${turn}` },
  ]).flat();
}

import { expect, test } from "vitest";
import { createDemoModel } from "../../src/model/demo/demo.ts";
import type { Message } from "../../src/model/model.ts";
import { describeModel, listen } from "../../src/testing/contracts/model.ts";

describeModel("demo", async () => ({ model: createDemoModel(), close: async () => {} }));

const model = createDemoModel({ delayMs: 0 });

test.each([
  ["1+1=几", "1+1 = 2"],
  ["What is 12*3?", "12*3 = 36"],
  ["2 + 3 * (4 - 1) / 2", "= 6.5"],
  ["请问 12 乘以 3 等于多少？", "= 36"],
  ["0.1+0.2", "= 0.3"],
  ["７×６＝？", "= 42"],
  ["-(2-5)*2", "= 6"],
  ["1/0", "no value"],
])("%s → %s", async (question, answer) => {
  expect(await say(question)).toContain(answer);
});

test.each(["2024-01-02 was cold", "call 555-1234 now", "1+", "((1)", "1+1 apples"])(
  "%s is no sum",
  async (text) => {
    expect(await say(text)).toContain("message number 1");
  },
);

test("remembers what was said before", async () => {
  expect(await say("What did I say before?")).toContain("This is your first message");
  expect(await say("tea, please", "What did I just say?")).toContain("> tea, please");
  expect(await say("喝茶", "一杯水", "我刚才说了什么？")).toContain("> 一杯水");
  expect(await say("喝茶", "一杯水", "我第一句话说的是什么？")).toContain("> 喝茶");
});

test("remembers a name", async () => {
  expect(await say("What's my name?")).toContain("not told me");
  expect(await say("my name is Ann and I like tea")).toContain("**Ann**");
  expect(await say("My name is Ann Lee.", "1+1", "what is my name?")).toContain("**Ann Lee**");
  expect(await say("My name is Ann", "My name is Eve", "Who am I?")).toContain("**Eve**");
  expect(await say("我叫小明，你好", "我叫什么名字？")).toContain("**小明**");
});

test("counts messages and explains a why by what it follows", async () => {
  expect(await say("a", "b", "How many messages did I send?")).toContain("**3** messages");
  expect(await say("a", "我问了几个问题？")).toContain("**2** 条");
  expect(await say("1+1=几", "为什么是这样")).toMatch(/1\+1=几[\s\S]*1\+1 = 2/);
});

test.each([
  ["Write 5000 characters", 5000],
  ["please write 20k chars about rain", 20_000],
  ["写一篇3000字的文章", 3000],
  ["写 1.5 万字", 15_000],
  ["写三千个字", 3000],
  ["Write 200,000 characters", 200_000],
])("%s: at least so many", async (question, count) => {
  const answer = Array.from(await say(question));
  expect(answer.length).toBeGreaterThanOrEqual(count);
  expect(answer.length).toBeLessThan(count + 1000);
});

test("writes words, and stops at 200 000 characters", async () => {
  expect((await say("write 1,000 words")).match(/[\p{L}\p{N}]+/gu)?.length).toBeGreaterThanOrEqual(1000);
  const longest = Array.from(await say("write 9000000 characters"));
  expect(longest.join("")).toContain("at most 200,000");
  expect(longest.length).toBeLessThan(202_000);
});

test.each([
  ["show markdown", "Paragraph"],
  ["show me a table in a long answer", "Paragraph"],
  ["来一段各种格式的 markdown", "粗体"],
])("%s: every form", async (question, word) => {
  const answer = await say(question);
  for (const form of ["## ", "- ", "  - ", "1. ", "|---", "> ", "```", "**", "](https://", "😀", word]) {
    expect(answer.replaceAll(/:?-+:?\|/g, "---|")).toContain(form === "|---" ? "---|" : form);
  }
});

test.each([
  ["hello", /offline \*\*demo model\*\*.*OPENAI_API_KEY.*OPENAI_BASE_URL/s],
  ["你好", /\*\*演示模型\*\*.*OPENAI_API_KEY.*OPENAI_BASE_URL/s],
  ["Why is the sky blue?", /> Why is the sky blue\?.*offline \*\*demo model\*\*/s],
  ["天空为什么是蓝色的？", /第 1 条消息.*演示模型/s],
  ["", /offline/],
])("%j: says what it is, in the language of the question", async (question, answer) => {
  expect(await say(question)).toMatch(answer);
});

test("says the same to the same conversation, and estimates the bill", async () => {
  const once = await listen(model, "What is rain?");
  expect(await listen(model, "What is rain?")).toEqual(once);
  expect(once.usage.estimated).toBe(true);
});

/** Says these things one after the other; the last answer. */
async function say(...sayings: string[]): Promise<string> {
  const messages: Message[] = [{ role: "system", content: "Be brief. My name is Persona." }];
  for (const content of sayings) {
    messages.push({ role: "user", content });
    const { pieces } = await listen(model, messages);
    messages.push({ role: "assistant", content: pieces.join("") });
  }
  return messages.at(-1)?.content ?? "";
}

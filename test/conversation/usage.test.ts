import { expect, test } from "vitest";
import { emptyConversation } from "../../src/conversation/conversation.ts";
import { addUsage, describeUsage, formatMoney, totalsOf, sum } from "../../src/conversation/usage.ts";

const at = Date.parse("2026-11-23T23:59:59Z");
const bill = { model: "m-1", input: 1000, output: 200, estimated: false, at };

test("a bill counts in the whole, and for its day and model", () => {
  const { usage } = emptyConversation("paper:ann");
  addUsage(usage, { ...bill, price: { input: 2, output: 10 } });
  addUsage(usage, { ...bill, model: "m-2", at: at + 1000 });
  addUsage(usage, { ...bill, estimated: true, price: { input: 1, output: 0 } }, 0);
  expect(usage).toEqual({
    turns: 2,
    input: 3000,
    output: 600,
    estimated: 1200,
    cost: 0.005,
    unpriced: 1200,
    days: {
      "2026-11-23": { "m-1": { turns: 1, input: 2000, output: 400, estimated: 1200, cost: 0.005 } },
      "2026-11-24": { "m-2": { turns: 1, input: 1000, output: 200, unpriced: 1200 } },
    },
  });
  expect(sum(Object.values(usage.days).flatMap((models) => Object.values(models)))).toEqual({
    turns: 2,
    input: 3000,
    output: 600,
    estimated: 1200,
    cost: 0.005,
    unpriced: 1200,
  });
  expect(totalsOf([usage, usage], "2026-11-23")).toMatchObject({ turns: 2, input: 4000 });
  expect(totalsOf([usage], "2026-11")).toMatchObject({ turns: 2, input: 3000 });
  expect(totalsOf([usage], "2026-12")).toEqual({ turns: 0, input: 0, output: 0 });
});

test.each([
  [{ turns: 1, input: 1234, output: 56 }, "1,234 + 56 tokens"],
  [{ turns: 1, input: 1234, output: 56, estimated: 1290, cost: 0.0123456 }, "≈ 1,234 + 56 tokens, $0.0123"],
  [{ turns: 1, input: 1, output: 0, cost: 0 }, "1 + 0 tokens, $0.00"],
])("%j is told as %j", (spent, told) => {
  expect(describeUsage(spent, "$")).toBe(told);
});

test.each([
  [1234.5, "¥", "¥1,234.50"],
  [0.00012345, "CNY", "0.000123 CNY"],
])("%d %s is %s", (amount, currency, told) => {
  expect(formatMoney(amount, currency)).toBe(told);
});

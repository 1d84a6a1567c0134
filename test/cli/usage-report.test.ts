import { expect, test } from "vitest";
import { openHistory, emptyConversation } from "../../src/conversation/conversation.ts";
import { printReport, reportUsage } from "../../src/cli/usage-report.ts";
import { openStore } from "../../src/store/store.ts";
import { addUsage } from "../../src/conversation/usage.ts";

test("what was spent, by day, model, person and conversation", async () => {
  const store = await openStore("memory:");
  const history = await openHistory(store);
  const keys = ["paper:ann", "paper:ann:g1", "paper:bob", "other:ann"];
  for (const [index, key] of keys.entries()) {
    const conversation = emptyConversation(key);
    const at = Date.parse(`2026-11-2${index}T12:00:00Z`);
    const price = index === 3 ? undefined : { input: index, output: 0 };
    addUsage(conversation.usage, {
      model: `m-${index % 2}`,
      input: 1_000_000,
      output: 1,
      estimated: false,
      price,
      at,
    });
    await history.save(conversation);
  }
  await (await store.open("history")).set("paper:eve", { version: 99 });
  const invalid: string[] = [];
  const report = async (by: Parameters<typeof reportUsage>[1]["by"], since?: string) => {
    const lines = await reportUsage(store, { by, since, invalid: (what) => void invalid.push(what) });
    return lines.map(({ name, turns, cost }) => [name, turns, cost]);
  };
  const total = ["total", 4, 3];
  expect(await report("user")).toEqual([
    ["paper:bob", 1, 2],
    ["paper:ann", 2, 1],
    ["other:ann", 1, undefined],
    total,
  ]);
  expect((await report("conversation")).map(([name]) => name)).toEqual([
    "paper:bob",
    "paper:ann:g1",
    "other:ann",
    "paper:ann",
    "total",
  ]);
  expect(await report("model")).toEqual([["m-0", 2, 2], ["m-1", 2, 1], total]);
  expect(await report("day", "2026-11-22")).toEqual([
    ["2026-11-22", 1, 2],
    ["2026-11-23", 1, undefined],
    ["total", 2, 2],
  ]);
  expect(invalid[0]).toMatch(/paper:eve.*version 99/);
  const lines = await reportUsage(store, { by: "user", invalid: () => undefined });
  expect(printReport(lines, { by: "user", currency: "$" })).toContain(
    "| `total` | 4 | 4,000,000 | 4 | > $3.00 |",
  );
  await store.close();
});

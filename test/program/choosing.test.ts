import { join } from "node:path";
import { expect, test } from "vitest";
import { openHistory, emptyConversation } from "../../src/conversation/conversation.ts";
import { openStore } from "../../src/store/store.ts";
import { temporaryFolder } from "../support/folder.ts";
import { scriptedModel, talk } from "../support/talk.ts";

const personas = new Map([
  ["plain", "Be plain."],
  ["pirate", "Be a pirate."],
]);

test("a persona is chosen for one's conversation, and stays", async () => {
  const store = `sqlite:${join(temporaryFolder(), "s.sqlite")}`;
  const model = scriptedModel();
  const options = { model, persona: "Be plain.", personas, store };
  const printed = await talk(["hi", "/persona", "/persona PIRATE", "ahoy", "/persona cook"], options);
  await talk(["again"], options);
  expect(model.sent.map(([first]) => first?.content)).toEqual(["Be plain.", "Be a pirate.", "Be a pirate."]);
  expect(printed).toContain("I am plain. Choose another:\n\n- `/persona plain`\n- `/persona pirate`");
  expect(printed).toContain("From now on I am pirate here.");
  expect(printed).toContain("no persona `cook`. Choose one of these:\n\n- `/persona plain`");
});

test("a persona that is not there any more, and one of the conversation's own", async () => {
  const store = await openStore("memory:");
  const history = await openHistory(store);
  await history.save({ ...emptyConversation("console:ann"), persona: "cook" });
  const model = scriptedModel();
  const options = { model, persona: "Be plain.", personas, store };
  await talk(["hi"], options);
  await history.save({ ...(await history.load("console:ann")), system: "Be yourself." });
  const printed = await talk(["hi", "/persona", "/persona plain", "hi"], options);
  await store.close();
  expect(model.sent.map(([first]) => first?.content)).toEqual(["Be plain.", "Be yourself.", "Be plain."]);
  expect(printed).toContain("has its own persona");
});

test("a model is chosen, counts its tokens at its price, and is told apart in the sum", async () => {
  const cheap = scriptedModel({ name: "m-1", price: { input: 1, output: 2 } });
  const dear = scriptedModel({ name: "m-2", price: { input: 100_000, output: 0 } });
  const unknown = scriptedModel({ name: "m-3", script: () => ({ text: "?", usage: { estimated: true } }) });
  const printed = await talk(["hi", "/model", "/model m-2", "hi", "/usage", "/model m-3", "hi", "/usage"], {
    model: [cheap, dear, unknown],
    currency: "¥",
  });
  expect([cheap, dear, unknown].map(({ sent }) => sent.length)).toEqual([1, 1, 1]);
  expect(printed).toContain("uses m-1. Choose another:\n\n- `/model m-1`\n- `/model m-2`\n- `/model m-3`");
  expect(printed).toMatch(/This conversation +\| +2 \| +20 \| +10 \| ¥1\.00/);
  expect(printed).toMatch(/Total +\| +3 \| +≈ 30 \| +≈ 15 \| ¥1\.00/);
  expect(printed).toContain("No price is known for a part of it.");
});

test("where there is nothing to choose, nothing is offered", async () => {
  const printed = await talk(["/help", "/usage"], { model: scriptedModel() });
  expect(printed).not.toMatch(/\/persona|\/model/);
  expect(printed).toContain("You have not asked me anything yet.");
});

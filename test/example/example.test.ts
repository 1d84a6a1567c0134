import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createColloquy } from "../../src/colloquy.ts";
import { openHistory, emptyConversation } from "../../src/conversation/conversation.ts";
import { createDemoModel } from "../../src/model/demo/demo.ts";
import { openStore } from "../../src/store/store.ts";
import { parseMarkdown } from "../../src/text/parse/markdown.ts";
import { temporaryFolder } from "../support/folder.ts";
import { until } from "../../src/testing/until.ts";
import { diceBot } from "./dice-bot.ts";
import { startEchoPlatform } from "./echo-platform.ts";

const root = join(import.meta.dirname, "../..");

test("adapters/README.md shows the whole of the adapter that is tested here", () => {
  const [, page = ""] = /^## A whole adapter$(.*?)^## /ms.exec(read("adapters/README.md")) ?? [];
  const shown = [...page.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = ""]) => code).join("\n");
  expect(shown).toBe(read("test/example/echo-adapter.ts").replace("../../src/index.ts", "colloquy"));
});

test.each(["docs/embedding.md", "docs/zh-CN/embedding.md"])(
  "the bot of %s is the one tested here",
  (page) => {
    const [, code = ""] = /^```ts\n(.*?)^```/ms.exec(read(page)) ?? [];
    const tested = read("test/example/dice-bot.ts").replace(/^ {2}/gm, "");
    const lines = code
      .split("\n")
      .filter((line) => /dice|name:|description:|run:|model:|middleware:/.test(line));
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) expect(tested).toContain(line);
  },
);

test("the bot of docs/embedding.md has a command and a middleware of its own", async () => {
  const { adapter, say, shows } = await openEcho();
  const bot = await diceBot(adapter);
  onTestFinished(() => bot.stop());
  await bot.start();
  await say("/dice");
  await until(() => shows().some((text) => /You rolled a [1-6]\./.test(text)));
  await say("ping");
  await until(() => shows().includes("pong"));
  await say("/help");
  await until(() => shows().some((text) => text.includes("/dice – Roll a die")));
});

test("an adapter without edits sends a long answer page by page, each within its limit", async () => {
  const { adapter, say, shows } = await openEcho();
  const bot = await createColloquy({ adapters: [adapter], model: createDemoModel(), store: "memory:" });
  onTestFinished(() => bot.stop());
  await bot.start();
  await say("write 5000 characters");
  await say("what is 12*3?");
  await until(() => shows().some((text) => text.includes("12*3 = 36")));
  expect(shows().length).toBeGreaterThan(2);
  expect(Math.max(...shows().map((text) => text.length))).toBeLessThanOrEqual(2000);
});

test("only the platform itself brings in messages", async () => {
  const { adapter, say } = await openEcho();
  expect(await say("too early")).toBe(503);
  await adapter.start(async () => undefined, []);
  expect(await say("hello")).toBe(200);
  expect(await say("forged", "guessed")).toBe(401);
});

test("a message says where links lead, and continues lists with their numbers", async () => {
  const { adapter } = await openEcho();
  const body = adapter.dialect.print(parseMarkdown("[site](https://a.example)\n\n3. c\n4. d\n\n- e"));
  expect(body).toBe("site (https://a.example)\n3. c\n4. d\n- e");
});

test("silence that an earlier run has committed stays silence", async () => {
  const url = `sqlite:${join(temporaryFolder(), "store.sqlite")}`;
  const store = await openStore(url);
  const outbox = { event: "echo:1", text: "", shown: [] };
  await (await openHistory(store)).save({ ...emptyConversation("echo:ann"), outbox });
  await store.close();
  const { adapter, say, shows } = await openEcho();
  const bot = await createColloquy({ adapters: [adapter], model: createDemoModel(), store: url });
  onTestFinished(() => bot.stop());
  await bot.start();
  await say("whatever it was");
  await say("what is 12*3?");
  await until(() => shows().some((text) => text.includes("36")));
  expect(shows()).toHaveLength(1);
});

async function openEcho() {
  const platform = await startEchoPlatform();
  onTestFinished(() => platform.close());
  return platform;
}

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

import { createServer } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { createColloquy } from "../../src/colloquy.ts";
import { createHistory, emptyConversation } from "../../src/conversation/conversation.ts";
import { createDemoModel } from "../../src/model/demo/demo.ts";
import { startServer } from "../../src/program/server.ts";
import { openStore } from "../../src/store/store.ts";
import { temporaryFolder } from "../support/folder.ts";
import { until } from "../support/until.ts";
import { diceBot } from "./dice-bot.ts";
import { createEcho } from "./echo-adapter.ts";

test("the bot of docs/embedding.md has a command and a middleware of its own", async () => {
  const { adapter, say, shows } = await echoPlatform();
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
  const { adapter, say, shows } = await echoPlatform();
  const bot = await createColloquy({ adapters: [adapter], model: createDemoModel(), store: "memory:" });
  onTestFinished(() => bot.stop());
  await bot.start();
  await say("write 3000 characters");
  await until(() => shows().join("").length >= 2500);
  expect(Math.max(...shows().map((text) => text.length))).toBeLessThanOrEqual(160);
});

test("silence that an earlier run has committed stays silence", async () => {
  const url = `sqlite:${join(temporaryFolder(), "store.sqlite")}`;
  const store = await openStore(url);
  const outbox = { event: "echo:1", text: "", shown: [] };
  await createHistory(await store.open("history")).save({ ...emptyConversation("echo:ann"), outbox });
  await store.close();
  const { adapter, say, shows } = await echoPlatform();
  const bot = await createColloquy({ adapters: [adapter], model: createDemoModel(), store: url });
  onTestFinished(() => bot.stop());
  await bot.start();
  await say("whatever it was");
  await say("what is 12*3?");
  await until(() => shows().some((text) => text.includes("36")));
  expect(shows()).toHaveLength(1);
});

/** The platform's side: a server that takes messages, and our webhook behind the one HTTP port. */
async function echoPlatform() {
  const taken: string[] = [];
  const platform = createServer(async (request, response) => {
    taken.push(((await json(request)) as { text: string }).text);
    response.end();
  });
  await new Promise<void>((resolve) => platform.listen(0, "127.0.0.1", () => resolve()));
  const { port } = platform.address() as { port: number };
  const adapter = createEcho({ url: `http://127.0.0.1:${port}` });
  const server = await startServer({ host: "127.0.0.1", port: 0, adapters: [adapter], health: () => ({}) });
  onTestFinished(async () => {
    await server.close();
    platform.close();
  });
  let id = 0;
  const say = async (text: string) => {
    const body = JSON.stringify({ id: String((id += 1)), from: "ann", text });
    const response = await fetch(`${server.url}/webhooks/echo`, { method: "POST", body });
    expect(response.status).toBe(200);
  };
  return { adapter, say, shows: () => taken };
}

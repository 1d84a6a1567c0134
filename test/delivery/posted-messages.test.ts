import { expect, onTestFinished, test } from "vitest";
import { createDiscord } from "../../adapters/discord/index.ts";
import { startDiscordSimulator } from "../../adapters/discord/simulator/simulator.ts";
import type { PostedMessage } from "../../src/conversation/conversation.ts";
import { deliver } from "../../src/delivery/deliver.ts";
import { createPacing } from "../../src/delivery/pacing.ts";
import { captureLog } from "../support/log.ts";
import { until } from "../../src/testing/until.ts";

test("a page that an earlier run has shown full, and the next one short, is full in the end", async () => {
  const discord = await startDiscordSimulator();
  onTestFinished(() => discord.close());
  const { token, apiRoot } = discord;
  const adapter = createDiscord({ token, apiRoot, pace: { direct: 20, group: 20 } });
  discord.say("ann", "hello");
  const channel = discord.channelId("ann");
  const event = {
    id: "discord:1",
    platform: "discord",
    user: { id: "1" },
    chat: { id: channel, kind: "direct" as const },
    to: { channel },
    text: "hello",
    at: 0,
  };
  let recorded: readonly PostedMessage[] = [];
  const run = (reply: string | AsyncIterable<string>, signal = new AbortController().signal) =>
    deliver(reply, {
      adapter,
      event,
      pacing: createPacing(),
      shown: recorded,
      sending: undefined,
      last: undefined,
      save: async (shown) => void (recorded = structuredClone(shown)),
      whole: async (text) => text,
      signal,
      log: captureLog().log,
    });
  const text = "word by word ".repeat(200).trim();
  await run(text);
  expect(discord.shows("ann")).toHaveLength(2);
  const crash = new AbortController();
  const second = run(beginning(), crash.signal).catch(() => undefined);
  await until(() => discord.shows("ann")[0] === "word by word");
  crash.abort(new Error("killed"));
  await second;
  await run(text);
  expect(discord.shows("ann").join(" ").replace(/\s+/g, " ")).toBe(text);
});

async function* beginning() {
  yield "word by word";
  await new Promise(() => undefined);
}

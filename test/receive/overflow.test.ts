import { PassThrough } from "node:stream";
import { describe, expect, onTestFinished, test } from "vitest";
import { createConsole, linesOf } from "../../adapters/console/index.ts";
import { createTelegram } from "../../adapters/telegram/index.ts";
import { startTelegramSimulator } from "../../adapters/telegram/simulator/simulator.ts";
import { Overflow } from "../../src/errors.ts";
import type { ChatEvent } from "../../src/event.ts";
import { MAX_WAITING } from "../../src/queue/queue.ts";
import { createScreen } from "../../adapters/console/simulator.ts";
import { until } from "../../src/testing/until.ts";
import { openWorld } from "../support/world.ts";

const most = MAX_WAITING.conversation;

/** A model that answers only Bob until it is let. */
function held() {
  let release = () => {};
  const free = new Promise<void>((resolve) => (release = resolve));
  const reply = async ({ messages }: { messages: readonly { content: string }[] }) => {
    const question = messages.at(-1)?.content ?? "";
    if (!question.startsWith("bob")) await free;
    return `re ${question}`;
  };
  return { reply, release: () => release() };
}

describe("who writes more than can be answered", () => {
  test.each(["telegram", "discord"] as const)(
    "is told on %s where it was too much, and holds up nobody",
    async (name) => {
      const { reply, release } = held();
      const { [name]: platform, telegram } = await openWorld({ reply });
      const flood = Array.from({ length: 3 * most }, (_, index) => `question ${index}`);
      for (const text of flood) platform.say("ann", text);
      platform.say("bob", "bob too");
      await until(() => platform.shows("bob").includes("re bob too"));
      expect(telegram.pending).toBe(0);
      release();
      const answers = flood.slice(0, most).map((text) => `re ${text}`);
      await until(() => platform.shows("ann").length === most + 1);
      const notice = expect.stringMatching(
        `I have not read your messages from \\W?question ${most}\\W? until now`,
      ) as string;
      expect(platform.shows("ann")).toEqual([...answers, notice]);
      platform.say("ann", "and now?");
      await until(() => platform.shows("ann").at(-1) === "re and now?");
    },
  );

  test("reads so at once where a slash command waits for a response", async () => {
    const { reply, release } = held();
    const { discord, model } = await openWorld({ reply });
    for (let index = 0; index < most + 1; index += 1) discord.say("ann", `question ${index}`);
    discord.say("bob", "bob is later");
    await until(() => discord.shows("bob").length === 1);
    discord.ask("ann", "one more");
    await until(() => discord.shows("ann").some((text) => text.includes("send it again")));
    release();
    await until(() =>
      discord.shows("ann").some((text) => text.includes("I have not read your messages from")),
    );
    expect(model.requests.some(({ messages }) => messages.at(-1)?.content === "one more")).toBe(false);
  });
});

test("Telegram keeps what the whole queue has no room for", async () => {
  const telegram = await startTelegramSimulator();
  let full = true;
  const seen: string[] = [];
  const adapter = createTelegram({ token: telegram.token, apiRoot: telegram.apiRoot });
  onTestFinished(async () => {
    await adapter.stop();
    await telegram.close();
  });
  await adapter.start(async ({ text }) => {
    if (full) throw new Overflow(false, "10000 messages wait for an answer already");
    seen.push(text);
  }, []);
  telegram.say("ann", "first");
  telegram.say("bob", "second");
  await until(() => adapter.health?.()?.includes("10000 messages wait"));
  expect(telegram.pending).toBe(2);
  full = false;
  await until(() => telegram.pending === 0);
  expect(seen).toEqual(["first", "second"]);
  expect(adapter.health?.()).toBeUndefined();
});

test("a pipe is read no faster than it is answered", async () => {
  const input = new PassThrough();
  const { output } = createScreen({ isTTY: false });
  const console = createConsole({ input: linesOf(input), output, user: "ann", color: false });
  const waiting: ChatEvent[] = [];
  await console.start(async (event) => void waiting.push(event), []);
  for (let index = 0; index < 100; index += 1) input.write(`line ${index}\n`);
  input.end();
  let answered = 0;
  let ended = false;
  void console.ended.then(() => (ended = true));
  while (!ended) {
    await until(() => waiting.length > 0 || ended);
    expect(waiting.length).toBeLessThan(most);
    for (const { to, text } of waiting.splice(0)) {
      expect(text).toBe(`line ${answered++}`);
      await console.finish?.(to, []);
    }
  }
  expect(answered).toBe(100);
});

import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startTelegramSimulator } from "../../adapters/telegram/simulator/simulator.ts";
import { loadSettings } from "../../config/settings.ts";
import { startProgram } from "../../src/program/start.ts";
import { startModelSimulator } from "../../src/testing/openai.ts";
import { temporaryFolder } from "../support/folder.ts";
import { captureLog } from "../support/log.ts";
import { until } from "../../src/testing/until.ts";

const HOUR_MS = 3_600_000;

/** The program with its default settings, and people who may have written long ago. */
async function open(more: Record<string, string> = {}) {
  const [telegram, service] = await Promise.all([startTelegramSimulator(), startModelSimulator()]);
  const { log, lines } = captureLog();
  const settings = loadSettings({
    OPENAI_API_KEY: service.key,
    OPENAI_BASE_URL: service.baseURL,
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.apiRoot,
    STORE_URL: `sqlite:${join(temporaryFolder(), "store.sqlite")}`,
    HTTP_PORT: "0",
    ...more,
  });
  let program = await startProgram({ settings, log });
  onTestFinished(async () => {
    await program.stop();
    await Promise.all([telegram.close(), service.close()]);
  });
  await program.connected;
  const restart = async () => {
    await program.stop();
    program = await startProgram({ settings, log });
    await program.connected;
  };
  let lastMessage = 500;
  const say = (user: string, text: string, hoursAgo: number, locale = "en") => {
    lastMessage += 1;
    const id = telegram.userId(user);
    telegram.update({
      message: {
        message_id: lastMessage,
        date: Math.floor((Date.now() - hoursAgo * HOUR_MS) / 1000),
        from: { id, is_bot: false, first_name: user, language_code: locale },
        chat: { id: telegram.chatId(user), type: "private" },
        text,
      },
    });
  };
  const answered = (count: number) => until(() => lines().split('"answered"').length > count);
  return { telegram, requests: service.requests, say, answered, restart };
}

test("after a week each conversation gets one apology, in its language, and no flood", async () => {
  const { telegram, requests, say, answered } = await open();
  // More than may be said in a minute: they were not.
  for (let n = 0; n < 25; n += 1) say("ann", `question ${n}`, 168 - n);
  say("ann", "/ask one more", 150);
  say("bob", "一个问题", 200, "zh-hans");
  await answered(27);
  expect(telegram.shows("ann")).toEqual([expect.stringContaining("I was away")]);
  expect(telegram.shows("bob")).toEqual([expect.stringContaining("抱歉")]);
  expect(requests).toEqual([]);
});

test("what is not too old is answered, before and after", async () => {
  const { telegram, say, answered } = await open();
  say("ann", "old", 25);
  say("ann", "yesterday", 23);
  say("ann", "now", 0);
  await answered(3);
  expect(telegram.shows("ann")).toEqual([expect.stringContaining("I was away"), "yesterday", "now"]);
});

test("a restart in the midst of them costs no second apology", async () => {
  const { telegram, say, answered, restart } = await open();
  say("ann", "one", 168);
  await answered(1);
  await restart();
  say("ann", "two", 167);
  say("ann", "three", 166);
  await answered(3);
  expect(telegram.shows("ann")).toHaveLength(1);
});

test("a command does what it does, however late", async () => {
  const { telegram, say, answered } = await open();
  say("ann", "/reset", 168);
  await answered(1);
  expect(telegram.shows("ann")).toEqual([expect.stringContaining("forgotten")]);
});

test("a stranger's old messages get the refusal, once, and no apology as to a friend", async () => {
  const { telegram, requests, say, answered } = await open({ ALLOWED_USERS: "telegram:1" });
  for (let n = 0; n < 5; n += 1) say("eve", `question ${n}`, 168 - n);
  await answered(5);
  expect(telegram.shows("eve")).toEqual([expect.stringContaining(`telegram:${telegram.userId("eve")}`)]);
  say("eve", "now", 0);
  await answered(6);
  expect(telegram.shows("eve")).toHaveLength(2);
  expect(telegram.shows("eve").join()).not.toContain("I was away");
  expect(requests).toEqual([]);
});

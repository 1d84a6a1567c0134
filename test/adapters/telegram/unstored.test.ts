import { expect, onTestFinished, test } from "vitest";
import { createUnstored } from "../../../adapters/telegram/receive/unstored.ts";
import type { ChatEvent } from "../../../src/event.ts";
import { until } from "../../../src/testing/until.ts";

/** People who are told at once, and a store that works or not. */
function open(tell: (text: string) => Promise<void> = async () => undefined) {
  const told: { chat: string; text: string }[] = [];
  const unstored = createUnstored({
    notify: (event, text) => {
      told.push({ chat: event.chat.id, text });
      return tell(text);
    },
    patienceMs: 1,
  });
  onTestFinished(() => unstored.stop());
  const say = (chat: string, more: Partial<ChatEvent> = {}) => {
    const user = { id: chat, locale: "en", ...more.user };
    const event = {
      id: "1",
      platform: "telegram",
      chat: { id: chat, kind: "direct" },
      to: {},
      text: "",
      at: 0,
    } as const;
    return { ...event, ...more, user };
  };
  const fails = async () => {
    throw new Error("the disk is full");
  };
  return { unstored, told, say, fails };
}

test("each chat is told once, over all attempts, and again only after something was stored", async () => {
  const { unstored, told, say, fails } = open();
  for (let n = 0; n < 3; n += 1) await expect(unstored.receive(say("ann"), fails)).rejects.toThrow("full");
  await expect(
    unstored.receive(say("bob", { user: { id: "bob", locale: "zh-hans" } }), fails),
  ).rejects.toThrow();
  await until(() => told.length === 2);
  await expect(unstored.receive(say("ann"), fails)).rejects.toThrow();
  expect(told.map(({ chat }) => chat)).toEqual(["ann", "bob"]);
  expect(told[0]?.text).toMatch(/I cannot save messages right now/);
  expect(told[1]?.text).toMatch(/无法保存消息/);
  await unstored.receive(say("ann"), async () => undefined);
  await expect(unstored.receive(say("ann"), fails)).rejects.toThrow();
  await until(() => told.length === 3);
});

test("a store that never answers is told too, a quick one is not", async () => {
  const { unstored, told, say } = open();
  await unstored.receive(say("bob"), async () => undefined);
  const forever = unstored.receive(say("ann"), () => new Promise(() => undefined));
  await until(() => told.length > 0);
  expect(told.map(({ chat }) => chat)).toEqual(["ann"]);
  expect(forever).toBeInstanceOf(Promise);
});

test("that it cannot be told, or that nobody has said anything, harms nobody", async () => {
  const { unstored, told, say, fails } = open(async () => {
    throw new Error("blocked");
  });
  await expect(unstored.receive(say("eve", { silent: true }), fails)).rejects.toThrow("full");
  await expect(unstored.receive(say("ann"), fails)).rejects.toThrow("full");
  await until(() => told.length > 0);
  expect(told.map(({ chat }) => chat)).toEqual(["ann"]);
});

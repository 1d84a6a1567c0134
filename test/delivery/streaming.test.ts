import { describe, expect, onTestFinished, test } from "vitest";
import { createDiscord } from "../../adapters/discord/index.ts";
import { startDiscordSimulator } from "../../adapters/discord/simulator/simulator.ts";
import { createTelegram, type TelegramBody, type TelegramOptions } from "../../adapters/telegram/index.ts";
import { startTelegramSimulator } from "../../adapters/telegram/simulator/simulator.ts";
import type { Adapter } from "../../src/adapter.ts";
import { createColloquy } from "../../src/colloquy.ts";
import type { PostedMessage } from "../../src/conversation/conversation.ts";
import { deliver } from "../../src/delivery/deliver.ts";
import { createPacing } from "../../src/delivery/pacing.ts";
import type { ChatEvent } from "../../src/event.ts";
import { createScriptedModel } from "../../src/testing/scripted-model.ts";
import { captureLog } from "../support/log.ts";
import { until } from "../../src/testing/until.ts";

/** So slow that a test which waits for it fails. */
const SLOW = { direct: 3_600_000, group: 3_600_000 };
const QUICK = { direct: 20, group: 20, draft: 20 };

async function openTelegram(options: Partial<TelegramOptions> = {}) {
  const telegram = await startTelegramSimulator();
  onTestFinished(() => telegram.close());
  const { token, apiRoot } = telegram;
  const { log, lines } = captureLog();
  const adapter = createTelegram({ token, apiRoot, log, pace: QUICK, ...options });
  telegram.say("ann", "hello");
  const writes = () =>
    telegram.calls.map(({ method }) => method).filter((method) => /^(send(Rich)?Message|edit)/.test(method));
  return { telegram, adapter, writes, log, lines };
}

/** A whole bot on Telegram or Discord, whose model says what the test gives it. */
async function openBot(adapter: Adapter) {
  const { log, lines } = captureLog();
  const hand = createScriptedModel();
  const bot = await createColloquy({ adapters: [adapter], model: hand.model, store: "memory:", log });
  onTestFinished(() => bot.stop());
  await bot.start();
  const answered = (times: number) => until(() => lines().split('"answered"').length > times, "the answer");
  return { hand, answered, asked: (times: number) => until(() => hand.asked.length >= times) };
}

/** What is answered when `deliver` is called by itself. */
const question: ChatEvent = {
  id: "telegram:1",
  platform: "telegram",
  user: { id: "1" },
  chat: { id: "1", kind: "direct" },
  to: {},
  text: "hello",
  at: 0,
};

/** Delivers a reply as the engine does, but nothing is stored. */
function deliverTo<Body>(
  adapter: Adapter<Body>,
  reply: string | AsyncIterable<string>,
  more: { readonly to?: ChatEvent["to"]; readonly shown?: readonly PostedMessage[] } = {},
) {
  const { log } = captureLog();
  return deliver(reply, {
    adapter,
    event: { ...question, to: more.to ?? {} },
    pacing: createPacing(),
    shown: more.shown ?? [],
    sending: undefined,
    last: undefined,
    save: async () => undefined,
    whole: async (text) => text,
    signal: new AbortController().signal,
    log,
  });
}

/** A stream that the test feeds. */
function feed() {
  const { model, say, end } = createScriptedModel();
  const stream = model.answer({ messages: [] }, new AbortController().signal);
  return { stream, say, end };
}

describe("a growing answer", () => {
  test("that is ready at once is one message and no edit", async () => {
    const { telegram, adapter, writes } = await openTelegram();
    const { hand, answered, asked } = await openBot(adapter);
    await asked(1);
    hand.say("One", " **two**", " three");
    hand.end();
    await answered(1);
    expect(writes()).toEqual(["sendMessage"]);
    expect(telegram.shows("ann")).toEqual(["One two three"]);
  });

  test("is edited only when what is seen changes", async () => {
    const { telegram, adapter, writes } = await openTelegram();
    const { hand, answered, asked } = await openBot(adapter);
    await asked(1);
    hand.say("One");
    await until(() => telegram.shows("ann")[0] === "One");
    for (const piece of [" ", "\n", "\n", "**", "two"]) {
      hand.say(piece);
      await new Promise(setImmediate);
    }
    await until(() => telegram.shows("ann")[0]?.endsWith("two"));
    hand.say("**", "\n");
    hand.end();
    await answered(1);
    expect(telegram.shows("ann")).toEqual(["One\n\ntwo"]);
    expect(writes()).toEqual(["sendMessage", "editMessageText"]);
  });

  test("does not wait out a pause at its end", async () => {
    const { telegram, adapter, writes } = await openTelegram({ pace: SLOW });
    const { hand, answered, asked } = await openBot(adapter);
    await asked(1);
    hand.say("One");
    await until(() => telegram.shows("ann")[0] === "One");
    hand.say(" two");
    hand.say(" three");
    hand.end();
    await answered(1);
    expect(telegram.shows("ann")).toEqual(["One two three"]);
    expect(writes()).toEqual(["sendMessage", "editMessageText"]);
  });

  test("does not wait out a pause at its end on Discord", async () => {
    const discord = await startDiscordSimulator();
    onTestFinished(() => discord.close());
    const { token, apiRoot } = discord;
    const { hand, answered, asked } = await openBot(createDiscord({ token, apiRoot, pace: SLOW }));
    discord.say("ann", "hello");
    await asked(1);
    hand.say("One");
    await until(() => discord.shows("ann")[0] === "One");
    hand.say(" two");
    hand.say(" three");
    hand.end();
    await answered(1);
    expect(discord.shows("ann")).toEqual(["One two three"]);
    const writes = discord.calls.filter(({ path }) => /\/messages(\/\d+)?$/.test(path));
    expect(writes.map(({ method }) => method)).toEqual(["POST", "PATCH"]);
  });

  test("leaves room in its chat for the end of the next answer, but not in other chats", async () => {
    const { telegram, adapter, writes } = await openTelegram({ pace: SLOW });
    const { hand, answered, asked } = await openBot(adapter);
    await asked(1);
    hand.say("One");
    await until(() => telegram.shows("ann")[0] === "One");
    hand.say(" two");
    hand.end();
    await answered(1);
    telegram.say("ann", "and now?");
    await asked(2);
    hand.say("Three");
    telegram.say("bob", "hello");
    await asked(3);
    hand.say("Bob");
    await until(() => telegram.shows("bob")[0] === "Bob");
    // Ann's first answer has used up two writes: of the second nothing is shown until it stands whole.
    expect(telegram.shows("ann")).toEqual(["One two"]);
    expect(writes()).toEqual(["sendMessage", "editMessageText", "sendMessage"]);
    hand.end();
    await answered(3);
    expect(telegram.shows("ann")).toEqual(["One two", "Three"]);
    expect(writes().filter((method) => method === "editMessageText")).toHaveLength(1);
  });

  test("costs no more with every page: what is full is not looked at again", async () => {
    let looks = 0;
    const { stream, say, end } = feed();
    const frames: number[] = [];
    const adapter: Adapter<object> = {
      name: "counting",
      pace: { direct: 0, group: 0 },
      dialect: {
        limits: { length: 100, unit: "utf16" },
        print: (blocks) => {
          const text = JSON.stringify(blocks);
          return {
            length: text.length,
            toJSON: () => {
              looks += 1;
              return text;
            },
          };
        },
        fits: (body) => "length" in body && Number(body.length) <= 200,
      },
      start: async () => undefined,
      stop: async () => undefined,
      send: async (_, __, key) => {
        frames.push(looks);
        return key;
      },
      edit: async () => {
        frames.push(looks);
      },
    };
    const delivered = deliverTo(adapter, stream);
    for (let n = 0; n < 60; n += 1) {
      const before = frames.length;
      say(`${"Some words that fill a page soon. ".repeat(3)}\n\nNumber ${n}: `);
      await until(() => frames.length > before);
    }
    end();
    await delivered;
    const costs = frames.slice(1).map((looks, index) => looks - (frames[index] ?? 0));
    expect(Math.max(...costs.slice(-10))).toBeLessThanOrEqual(Math.max(...costs.slice(0, 10)));
  });
});

describe("drafts", () => {
  test("none comes after the message: the end waits for the one on its way", async () => {
    const { telegram, adapter: real, writes } = await openTelegram({ drafts: true });
    let let_go = () => {};
    const held = new Promise<void>((resolve) => (let_go = resolve));
    let begun = 0;
    const adapter: Adapter<TelegramBody> = {
      ...real,
      draft: async (...draft) => {
        begun += 1;
        if (begun === 2) await held;
        return real.draft!(...draft);
      },
    };
    const { stream, say, end } = feed();
    const delivered = deliverTo(adapter, stream, { to: { chat: telegram.userId("ann") } });
    say("One");
    await until(() => telegram.draft("ann")?.text === "One");
    say(" two");
    await until(() => begun === 2);
    say(" three");
    end();
    await new Promise((resolve) => setImmediate(resolve));
    expect(writes()).toEqual(["sendMessageDraft"]);
    let_go();
    await delivered;
    expect(writes()).toEqual(["sendMessageDraft", "sendMessageDraft", "sendMessage"]);
    expect(telegram.draft("ann")).toBeUndefined();
    expect(telegram.shows("ann")).toEqual(["One two three"]);
  });

  test("what stands from an earlier run is edited, for it would be seen twice", async () => {
    const { telegram, adapter, writes } = await openTelegram({ drafts: true });
    const to = { chat: telegram.userId("ann") };
    const ref = await adapter.send(to, { text: "One tw", entities: [] }, "telegram:1#0");
    const { stream, say, end } = feed();
    const delivered = deliverTo(adapter, stream, { to, shown: [{ ref, digest: "" }] });
    say("One two");
    await until(() => telegram.shows("ann")[0] === "One two");
    say(" three");
    end();
    await delivered;
    expect(telegram.shows("ann")).toEqual(["One two three"]);
    expect(writes()).not.toContain("sendMessageDraft");
  });
});

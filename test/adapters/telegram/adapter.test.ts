import { inspect } from "node:util";
import { serve } from "@hono/node-server";
import * as fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { createTelegram, type TelegramOptions } from "../../../adapters/telegram/adapter.ts";
import type { TelegramBody } from "../../../adapters/telegram/dialect/dialect.ts";
import {
  startTelegramSimulator,
  type TelegramSimulator,
  type TelegramSimulatorOptions,
} from "../../../adapters/telegram/simulator/simulator.ts";
import { toEvent } from "../../../adapters/telegram/receive/updates.ts";
import type { CommandEntry, HttpEndpoint, Receive } from "../../../src/adapter.ts";
import { PlatformError } from "../../../src/errors.ts";
import type { ChatEvent } from "../../../src/event.ts";
import { parseMarkdown } from "../../../src/text/parse/markdown.ts";
import { failure } from "../../support/failure.ts";
import { captureLog } from "../../support/log.ts";
import { until } from "../../../src/testing/until.ts";
import { runs } from "../../support/runs.ts";

const menu: readonly CommandEntry[] = [
  { name: "ask", description: { en: "Ask a question", zh: "提问" } },
  { name: "reset", description: { en: "Begin anew", zh: "重新开始" } },
  { name: "no-such-name-on-telegram", description: { en: "Left out" } },
];

interface SetUp {
  readonly simulator?: TelegramSimulatorOptions;
  readonly telegram?: TelegramSimulator;
  readonly receive?: Receive;
  readonly options?: Partial<TelegramOptions>;
}

/** A connected bot, and what it has received. */
async function setUp({ simulator = {}, telegram: shared, receive, options }: SetUp = {}) {
  const telegram = shared ?? (await startSimulator(simulator));
  const { bot, lines } = createBot(telegram, options);
  const events: ChatEvent[] = [];
  await bot.start(receive ?? (async (event) => void events.push(event)), menu);
  return { telegram, bot, events, lines, next: () => until(() => events.shift(), "an event") };
}

async function startSimulator(options: TelegramSimulatorOptions = {}): Promise<TelegramSimulator> {
  const telegram = await startTelegramSimulator(options);
  onTestFinished(() => telegram.close());
  return telegram;
}

function createBot({ token, apiRoot }: Pick<TelegramSimulator, "token" | "apiRoot">, options = {}) {
  const { log, lines } = captureLog();
  const bot = createTelegram({ token, apiRoot, log, ...options });
  onTestFinished(() => bot.stop());
  return { bot, lines };
}

/** A receiver that stores nothing until it is let. */
function gate() {
  const events: ChatEvent[] = [];
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  const receive: Receive = async (event) => {
    events.push(event);
    await opened;
  };
  onTestFinished(() => open());
  return { events, receive, open };
}

/** Serves HTTP on any free port until the test is over. */
function listen(fetch: (request: Request) => Response | Promise<Response>): Promise<number> {
  return new Promise((resolve) => {
    const server = serve({ fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => resolve(port));
    onTestFinished(() => void server.close());
  });
}

const body = (text: string, entities: TelegramBody["entities"] = []): TelegramBody => ({ text, entities });
const calls = ({ calls }: TelegramSimulator, name: string) => calls.filter(({ method }) => method === name);

describe("talking", () => {
  test("a message comes in, and its answer is typed, sent, edited and removed", async () => {
    const { telegram, bot, next } = await setUp();
    const update = telegram.say("ann", "why is rain wet?", { locale: "zh-hans" });
    const event = await next();
    expect(event).toEqual({
      id: `telegram:7000000001:${update}`,
      platform: "telegram",
      user: { id: String(telegram.userId("ann")), name: "ann", locale: "zh-hans" },
      chat: { id: String(telegram.userId("ann")), kind: "direct" },
      to: { chat: telegram.userId("ann"), question: 1 },
      text: "why is rain wet?",
      at: expect.any(Number),
    });
    expect(Math.abs(event.at - Date.now())).toBeLessThan(60_000);

    await bot.typing?.(event.to);
    expect(telegram.typing("ann")).toBe(true);
    const ref = await bot.send(event.to, body("Because"), "a#0");
    const bold: TelegramBody["entities"] = [{ type: "bold", offset: 11, length: 5 }];
    await bot.edit?.(event.to, ref, body("Because of water.", bold));
    expect(telegram.screen("ann")).toMatchObject([
      { from: "ann", text: "why is rain wet?" },
      { from: "bot", text: "Because of water.", entities: bold, edits: 1, id: Number(ref) },
    ]);
    await bot.remove?.(event.to, ref);
    expect(telegram.shows("ann")).toEqual([]);
  });

  test("no link is previewed, and nothing is ever parsed by Telegram", async () => {
    const { telegram, bot, next } = await setUp();
    telegram.say("ann", "hi");
    const { to } = await next();
    await bot.send(to, body("*x* https://example.com"), "k#0");
    const [sent] = calls(telegram, "sendMessage");
    expect(sent?.payload).toEqual({
      chat_id: telegram.userId("ann"),
      text: "*x* https://example.com",
      link_preview_options: { is_disabled: true },
    });
  });

  test("commands are told from text, and those for other bots are none of ours", async () => {
    const { telegram, next } = await setUp();
    telegram.say("ann", "/reset@other_bot");
    telegram.say("ann", "/Reset@Colloquy_Bot");
    telegram.say("ann", "/ask why is rain");
    expect(await next()).toMatchObject({ command: "reset", text: "" });
    expect(await next()).toMatchObject({ command: "ask", text: "why is rain" });
  });

  test("a topic of a private chat is answered in the topic", async () => {
    const { telegram, bot, next } = await setUp();
    telegram.say("ann", "in a topic", { thread: 77 });
    const { to } = await next();
    expect(to).toEqual({ chat: telegram.userId("ann"), question: 1, thread: 77 });
    await bot.send(to, body("here"), "k#0");
    await bot.typing?.(to);
    expect(calls(telegram, "sendMessage")[0]?.payload).toMatchObject({ message_thread_id: 77 });
    expect(calls(telegram, "sendChatAction")[0]?.payload).toMatchObject({ message_thread_id: 77 });
  });

  test("what has no text says what it is instead", async () => {
    const { telegram, next } = await setUp();
    const about = {
      message_id: 9,
      date: 1_700_000_000,
      chat: { id: telegram.userId("ann"), type: "private" },
      from: { id: telegram.userId("ann"), is_bot: false, first_name: "Ann", last_name: "Lee" },
    };
    telegram.update({ message: { ...about, new_chat_title: "a service message" } });
    telegram.update({ message: { ...about, from: { ...about.from, is_bot: true }, text: "from a bot" } });
    telegram.update({ message: { ...about, photo: [{}] } });
    telegram.update({ message: { ...about, animation: {}, document: {}, caption: "look" } });
    expect(await next()).toMatchObject({
      text: "",
      attachments: [{ kind: "image" }],
      user: { name: "Ann Lee" },
      at: 1_700_000_000_000,
    });
    expect(await next()).toMatchObject({ text: "look", attachments: [{ kind: "video" }] });
  });

  test("finds a message that was sent but not recorded, and touches no other", async () => {
    const { telegram, bot, next } = await setUp();
    telegram.say("ann", "first");
    const { to: earlier } = await next();
    const known = await bot.send(earlier, body("the answer to the first"), "k1");
    telegram.say("bob", "meanwhile");
    telegram.say("ann", "second");
    await next();
    const { to } = await next();
    const recover = (...after: string[]) => bot.recovery?.find?.(to, body("whole"), after, "k#0");
    expect(await recover(known)).toBeUndefined();
    const lost = await bot.send(to, body("ha"), "k2");
    expect(await recover(known)).toBe(lost);
    expect(await recover(known)).toBe(lost);
    expect(await recover(lost)).toBeUndefined();
    expect(telegram.shows("ann")).toEqual(["the answer to the first", "whole"]);
  });

  test("finds it behind hundreds of others, from what was the newest when it was sent", async () => {
    const { telegram, bot, next } = await setUp();
    telegram.say("ann", "tell me");
    const { to } = await next();
    for (let n = 0; n < 200; n += 1) {
      telegram.say("bob", `${n}`);
      await next();
    }
    const newest = bot.recovery?.newest?.(to) ?? "";
    const lost = await bot.send(to, body("ha"), "k1");
    expect(await bot.recovery?.find?.(to, body("whole"), [newest], "k#0")).toBe(lost);
    expect(bot.recovery?.newest?.(to)).toBe(lost);
    expect(telegram.shows("ann")).toEqual(["whole"]);
  });

  test("looks for nothing in a group, where others are answered too", async () => {
    const { telegram, bot, next } = await setUp();
    telegram.say("ann", "/ask something", { chat: "family" });
    const { to } = await next();
    await bot.send(to, body("an answer"), "k1");
    expect(await bot.recovery?.find?.(to, body("whole"), [], "k#0")).toBeUndefined();
    expect(telegram.shows("family")).toEqual(["an answer"]);
  });

  test("in a group it answers who speaks to it, and quotes the question", async () => {
    const { telegram, bot, next } = await setUp();
    const inGroup = (text: string, more = {}) => telegram.say("ann", text, { chat: "family", ...more });
    inGroup("nice weather today");
    inGroup("/reset@other_bot");
    inGroup("@colloquy_bot_two what?");
    inGroup("@Colloquy_bot, why is rain wet?");
    const event = await next();
    const [, , , asked] = telegram.screen("family");
    expect(event).toMatchObject({
      text: "why is rain wet?",
      chat: { id: String(telegram.chatId("family")), kind: "group" },
      to: { chat: telegram.chatId("family"), question: asked?.id },
    });
    const ref = await bot.send(event.to, body("because"), "k#0");
    expect(calls(telegram, "sendMessage")[0]?.payload).toMatchObject({
      reply_parameters: { message_id: asked?.id, allow_sending_without_reply: true },
    });
    inGroup("and snow?", { replyTo: Number(ref) });
    expect(await next()).toMatchObject({ text: "and snow?" });
    inGroup("/reset");
    expect(await next()).toMatchObject({ command: "reset" });
    inGroup("@colloquy_bot /ask hail");
    expect(await next()).toMatchObject({ command: "ask", text: "hail" });
  });

  test("a group that became a supergroup is answered there", async () => {
    const { telegram, bot, next } = await setUp();
    telegram.say("ann", "/ask why", { chat: "family" });
    const { to } = await next();
    telegram.migrate("family");
    const ref = await bot.send(to, body("because"), "k#0");
    await bot.edit?.(to, ref, body("because of that"));
    expect(telegram.shows("family")).toEqual(["because of that"]);
  });

  test("formatting that Telegram refuses is left out, the words are not", async () => {
    const { telegram, bot, next, lines } = await setUp();
    telegram.say("ann", "hi");
    const { to } = await next();
    const wrong: TelegramBody["entities"] = [
      { type: "text_link", offset: 0, length: 4, url: "http://localhost" },
    ];
    const ref = await bot.send(to, body("docs", wrong), "k#0");
    expect(telegram.screen("ann").at(-1)).toMatchObject({ text: "docs", entities: [] });
    await bot.edit?.(to, ref, body("docs!", wrong));
    expect(telegram.screen("ann").at(-1)).toMatchObject({ text: "docs!", entities: [] });
    expect(lines()).toContain("without its formatting");
  });

  test("Telegram takes all formatting that the dialect prints, and shows the same text", async () => {
    const { telegram, bot, next, lines } = await setUp({ options: { rich: "classic" } });
    telegram.say("ann", "hi");
    const { to } = await next();
    const piece = fc.constantFrom(
      "# Head *line*",
      "**bold _both_** and `code` and ~~gone~~ ||hidden||",
      "[link](https://example.com) [bad](http://localhost) [odd](javascript:alert)",
      "```js\n\tlet a = 1;\r\n```",
      "> quote **bold**\n> > deeper\n> `code`",
      "- a\n  1. 😀 *b*\n- [x] c",
      "| a | **b** |\n|-|-:|\n| 你好 | `d` |",
      "   \u0000\u2028 *x* \u030A",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 8 }), async (pieces) => {
        const page = bot.dialect.print(parseMarkdown(pieces.join("\n\n")));
        const ref = await bot.send(to, page, "k#0");
        expect(telegram.screen("ann").at(-1)).toMatchObject({ id: Number(ref), text: page.text });
      }),
      { numRuns: runs(42) },
    );
    expect(lines()).not.toContain("without its formatting");
  });

  test("every language has its menu, written only when it differs", async () => {
    const telegram = await startSimulator();
    const { bot } = await setUp({ telegram });
    await bot.stop();
    await setUp({ telegram });
    const written = calls(telegram, "setMyCommands").map(({ payload }) => payload);
    expect(written).toEqual([
      {
        commands: [
          { command: "ask", description: "Ask a question" },
          { command: "reset", description: "Begin anew" },
        ],
      },
      {
        language_code: "zh",
        commands: [
          { command: "ask", description: "提问" },
          { command: "reset", description: "重新开始" },
        ],
      },
    ]);
  });

  test("a menu that cannot be written stops nobody", async () => {
    const telegram = await startSimulator();
    telegram.fail({ method: "setMyCommands", how: { status: 400 } });
    const { next, lines } = await setUp({ telegram });
    telegram.say("ann", "hi");
    expect(await next()).toMatchObject({ text: "hi" });
    expect(lines()).toContain("menu");
  });
});

describe("refusals", () => {
  test.each([
    ["blocked", "telegram_403", { permanent: true }],
    ["unknown", "telegram_400", { permanent: true }],
    ["nonsense", "telegram_address", { permanent: true }],
  ])("a chat that is %s is permanent", async (what, code, details) => {
    const { telegram, bot, next } = await setUp();
    telegram.say("ann", "hi");
    const { to } = await next();
    if (what === "blocked") telegram.block("ann");
    const address = what === "blocked" ? to : what === "unknown" ? { chat: 1 } : { chat: "x" };
    expect(await failure(bot.send(address, body("x"), "k#0"))).toMatchObject({ code, ...details });
  });

  test.each([
    ["reset", "telegram_unreachable"],
    ["html", "telegram_unreachable"],
    ["after", "telegram_unreachable"],
    [{ status: 502 }, "telegram_502"],
    [{ status: 500, body: { ok: false } }, "telegram_500"],
    [{ status: 401 }, "telegram_401"],
    [{ status: 403, body: { message: "a proxy says no" } }, "telegram_unreachable"],
    [{ status: 200, body: { ok: true } }, "telegram_unreachable"],
  ] as const)(
    "after %j it may work later, and the adapter does not try again by itself",
    async (how, code) => {
      const { telegram, bot, next } = await setUp();
      telegram.say("ann", "hi");
      const { to } = await next();
      telegram.fail({ method: "sendMessage", how });
      expect(await failure(bot.send(to, body("x"), "k#0"))).toMatchObject({
        code,
        permanent: false,
        gone: false,
      });
      expect(calls(telegram, "sendMessage")).toHaveLength(1);
    },
  );

  test("a flood says how long to wait", async () => {
    const { telegram, bot, next } = await setUp({
      simulator: { flood: { chatBurst: 1, perChatPerSecond: 0.01 } },
    });
    telegram.say("ann", "hi");
    const { to } = await next();
    await bot.send(to, body("one"), "k#0");
    const error = await failure(bot.send(to, body("two"), "k#1"));
    expect(error).toMatchObject({ code: "telegram_429", permanent: false });
    expect(error instanceof PlatformError && error.retryAfterMs).toBeGreaterThan(90_000);
  });

  test("what is gone is told apart from what is wrong", async () => {
    const { telegram, bot, next } = await setUp();
    telegram.say("ann", "hi");
    const { to } = await next();
    const ref = await bot.send(to, body("same"), "k#0");
    await bot.edit?.(to, ref, body("same"));
    const [asked] = telegram.screen("ann");
    const edit = (id: string) => bot.edit?.(to, id, body("x")) ?? Promise.resolve();
    expect(await failure(edit("999"))).toMatchObject({ gone: true, permanent: false });
    expect(await failure(edit(String(asked?.id)))).toMatchObject({ gone: true, permanent: false });
    await bot.remove?.(to, "999");
    expect(await failure(bot.send(to, body("  "), "k#1"))).toMatchObject({ gone: false, permanent: true });
  });
});

describe("polling", () => {
  test("an update is acknowledged once it is stored, not before", async () => {
    const { events, receive, open } = gate();
    const { telegram, bot } = await setUp({ receive });
    telegram.say("ann", "one");
    const { to } = await until(() => events[0]);
    telegram.say("ann", "two");
    // Time enough for a poll that does not wait.
    for (let call = 0; call < 20; call += 1) await bot.typing?.(to);
    expect(telegram.pending).toBe(2);
    const polls = calls(telegram, "getUpdates").length;
    open();
    await until(() => telegram.pending === 0);
    expect(calls(telegram, "getUpdates").length).toBeGreaterThan(polls);
    expect(events.map(({ text }) => text)).toEqual(["one", "two"]);
  });

  test("what was not stored when the process died comes again", async () => {
    const telegram = await startSimulator();
    const dying = gate();
    await setUp({ telegram, receive: dying.receive });
    const update = telegram.say("ann", "do not lose me");
    await until(() => dying.events.length === 1);
    const { next } = await setUp({ telegram });
    expect(await next()).toMatchObject({ id: `telegram:7000000001:${update}`, text: "do not lose me" });
    dying.open();
  });

  test("what could not be stored comes again", async () => {
    const stored: string[] = [];
    let broken = true;
    const { telegram, bot, lines } = await setUp({
      receive: async ({ text }) => {
        if (broken && text === "two") throw new Error("disk full");
        stored.push(text);
      },
    });
    for (const text of ["one", "two", "three"]) telegram.say("ann", text);
    await until(() => bot.health?.()?.includes("disk full"));
    expect(telegram.pending).toBeGreaterThan(0);
    broken = false;
    await until(() => telegram.pending === 0 && !bot.health?.());
    expect(new Set(stored)).toEqual(new Set(["one", "two", "three"]));
    expect(stored.indexOf("two")).toBeGreaterThan(-1);
    expect(lines().split("disk full")).toHaveLength(2);
  });

  test("events begin to be stored in the order in which they were said", async () => {
    const { telegram, events } = await setUp();
    const said = Array.from({ length: 250 }, (_, index) => `message ${index}`);
    for (const [index, text] of said.entries()) telegram.say(index % 3 ? "ann" : "bob", text);
    await until(() => events.length >= said.length);
    expect(events.map(({ text }) => text)).toEqual(said);
    expect(new Set(events.map(({ id }) => id)).size).toBe(said.length);
  });

  test("another poller with the same token is a trouble, not the end", async () => {
    const { telegram, bot, next, lines } = await setUp();
    const other = new AbortController();
    const rival = fetch(`${telegram.apiRoot}bot${telegram.token}/getUpdates?timeout=50`, {
      signal: other.signal,
    });
    await until(() => bot.health?.()?.includes("same Telegram bot token"));
    other.abort();
    await expect(rival).rejects.toThrow("aborted");
    telegram.say("ann", "still there?");
    expect(await next()).toMatchObject({ text: "still there?" });
    await until(() => !bot.health?.());
    expect(lines()).toContain("receiving from Telegram again");
  });

  test("a webhook of earlier days is taken away, and what waited comes", async () => {
    const telegram = await startSimulator();
    telegram.say("ann", "long before");
    await fetch(`${telegram.apiRoot}bot${telegram.token}/setWebhook?url=http://127.0.0.1:1/`);
    const { next } = await setUp({ telegram });
    expect(await next()).toMatchObject({ text: "long before" });
    expect(calls(telegram, "deleteWebhook").map(({ payload }) => payload)).toEqual([{}]);
  });

  test("without a webhook none is deleted", async () => {
    const { telegram } = await setUp();
    expect(calls(telegram, "deleteWebhook")).toEqual([]);
  });

  test.each([
    ["html", 2, "not JSON"],
    ["reset", 1, "hang up"],
    [{ status: 503 }, 1, "503"],
    [{ status: 200, body: { ok: true, result: [{ no: "id" }] } }, 1, "is malformed"],
    [{ status: 429, body: { ok: false, error_code: 429, parameters: { retry_after: 1 } } }, 1, "429"],
  ] as const)("goes on after %j, and says so once", async (how, times, sentence) => {
    const telegram = await startSimulator();
    telegram.fail({ method: "getUpdates", times, how });
    const { bot, next, lines } = await setUp({ telegram });
    telegram.say("ann", "hello?");
    expect(await until(() => bot.health?.())).toContain(sentence);
    expect(await next()).toMatchObject({ text: "hello?" });
    await until(() => !bot.health?.());
    expect(lines().split("trying again")).toHaveLength(2);
    expect(lines()).toContain("receiving from Telegram again");
  });

  test("a token that is revoked later is a trouble with advice", async () => {
    const { telegram, bot } = await setUp();
    telegram.fail({
      method: "getUpdates",
      how: { status: 401, body: { ok: false, error_code: 401, description: "Unauthorized" } },
    });
    telegram.say("ann", "wakes the poll");
    expect(await until(() => bot.health?.())).toContain("@BotFather");
    await bot.stop();
  });
});

describe("starting and stopping", () => {
  test.each(["7000000001:wrong", "nonsense"])(
    "the token %s is refused with advice, not shown",
    async (token) => {
      const telegram = await startSimulator();
      const { bot, lines } = createBot({ ...telegram, token });
      const error = await failure(bot.start(async () => {}, menu));
      expect(error).toMatchObject({ name: "ConfigError", code: "telegram_token" });
      expect(error.message).toContain("TELEGRAM_BOT_TOKEN");
      expect(error.message).toContain("@BotFather");
      expect(error.message + lines()).not.toContain(token);
    },
  );

  test("waits for Telegram to be reachable", async () => {
    const first = await startTelegramSimulator();
    await first.close();
    const { bot } = createBot(first);
    const events: ChatEvent[] = [];
    const started = bot.start(async (event) => void events.push(event), menu);
    expect(await until(() => bot.health?.())).toContain("ECONNREFUSED");
    const telegram = await startSimulator({ port: Number(new URL(first.url).port) });
    await started;
    expect(bot.health?.()).toBeUndefined();
    telegram.say("ann", "at last");
    await until(() => events.length === 1);
  });

  test("a captive portal is no refusal of the token", async () => {
    const telegram = await startSimulator();
    telegram.fail({ method: "getMe", how: "html" });
    const { next } = await setUp({ telegram });
    telegram.say("ann", "hi");
    expect(await next()).toMatchObject({ text: "hi" });
  });

  test("can be stopped while it starts, and while it waits for a retry", async () => {
    const telegram = await startSimulator();
    telegram.fail({ method: "getMe", how: "hang" });
    const { bot } = createBot(telegram);
    const started = bot.start(async () => {}, menu);
    await until(() => telegram.calls.length === 1);
    await bot.stop();
    expect(await started).toBeUndefined();

    telegram.fail({
      how: { status: 429, body: { ok: false, error_code: 429, parameters: { retry_after: 9999 } } },
    });
    const again = bot.start(async () => {}, menu);
    await until(() => bot.health?.());
    await bot.stop();
    expect(await again).toBeUndefined();
    await bot.stop();
  });

  test("stopping waits for what is just being stored, and tells Telegram", async () => {
    const { events, receive, open } = gate();
    const { telegram, bot } = await setUp({ receive });
    telegram.say("ann", "last words");
    await until(() => events.length === 1);
    const stopped = bot.stop();
    open();
    await stopped;
    expect(telegram.pending).toBe(0);
    expect(calls(telegram, "getUpdates").at(-1)?.payload).toMatchObject({ limit: 1, timeout: 0 });
    telegram.say("ann", "too late");
    expect(telegram.pending).toBe(1);
  });

  test("stopping breaks a held poll off", async () => {
    const { telegram, bot } = await setUp();
    await until(() => calls(telegram, "getUpdates").length === 1);
    await bot.stop();
    telegram.say("ann", "too late");
    expect(telegram.pending).toBe(1);
  });

  test("can be started again, and sends while stopped or never started", async () => {
    const { telegram, bot, next } = await setUp();
    telegram.say("ann", "hi");
    const { to } = await next();
    await bot.stop();
    await bot.stop();
    await bot.send(to, body("after stop"), "k#0");
    await createBot(telegram).bot.send(to, body("from a worker"), "k#1");
    expect(telegram.shows("ann")).toEqual(["after stop", "from a worker"]);
    await createBot(telegram).bot.stop();

    const events: ChatEvent[] = [];
    await bot.start(async (event) => void events.push(event), menu);
    telegram.say("ann", "again");
    await until(() => events.some(({ text }) => text === "again"));
  });

  test("an API root with a path works with and without a slash at its end", async () => {
    const telegram = await startSimulator();
    const { bot } = createBot({ ...telegram, apiRoot: telegram.url });
    await bot.start(async () => {}, menu);
    expect(calls(telegram, "getMe")).toHaveLength(1);
    const { bot: prefixed } = createBot({ ...telegram, apiRoot: `${telegram.url}/prefix` });
    const error = await failure(prefixed.send({ chat: 1 }, body("x"), "k#0"));
    expect(error.code).toBe("telegram_404");
  });
});

describe("webhook", () => {
  async function setUpWebhook(receive?: Receive, secret?: string) {
    const telegram = await startSimulator({ webhookRetryMs: 5 });
    const handler: { fetch?: HttpEndpoint["fetch"] } = {};
    const port = await listen(async (request) => {
      return (await handler.fetch?.(request)) ?? new Response(null, { status: 502 });
    });
    const url = `http://127.0.0.1:${port}/webhooks/telegram`;
    const { bot, lines } = createBot(telegram, { webhook: { url, ...(secret && { secret }) } });
    handler.fetch = async (request) =>
      (await bot.http?.fetch(request)) ?? new Response(null, { status: 404 });
    const events: ChatEvent[] = [];
    await bot.start(receive ?? (async (event) => void events.push(event)), menu);
    const post = (content: string, headers: Record<string, string> = {}) =>
      fetch(url, { method: "POST", body: content, headers });
    const used = calls(telegram, "setWebhook")[0]?.payload["secret_token"];
    const header = { "x-telegram-bot-api-secret-token": String(used) };
    return { telegram, bot, events, lines, url, post, header };
  }

  test("events come by HTTP, and nothing is polled", async () => {
    const { telegram, bot, events, url } = await setUpWebhook();
    telegram.say("ann", "/ask why is rain");
    await until(() => events.length === 1);
    expect(events[0]).toMatchObject({ command: "ask", text: "why is rain" });
    await until(() => telegram.pending === 0);
    expect(calls(telegram, "getUpdates")).toEqual([]);
    expect(calls(telegram, "setWebhook")[0]?.payload).toMatchObject({
      url,
      allowed_updates: ["message", "callback_query"],
    });
    await bot.stop();
    expect(calls(telegram, "deleteWebhook")).toEqual([]);
  });

  test("only Telegram may post, and only updates", async () => {
    const { events, post, header, url } = await setUpWebhook();
    const update = JSON.stringify({ update_id: 1 });
    expect((await fetch(url)).status).toBe(405);
    expect((await post(update)).status).toBe(401);
    expect((await post(update, { "x-telegram-bot-api-secret-token": "guess" })).status).toBe(401);
    expect((await post("{", header)).status).toBe(400);
    expect((await post("x".repeat(1_048_577), header)).status).toBe(413);
    expect((await post('{"update_id": 1, "message": 5}', header)).status).toBe(200);
    expect((await post("[]", header)).status).toBe(200);
    expect(events).toEqual([]);
  });

  test("the secret is the given one, or always the same one for a token, from which nobody can tell the token", async () => {
    const given = await setUpWebhook(undefined, "a-secret_1");
    expect(given.header["x-telegram-bot-api-secret-token"]).toBe("a-secret_1");
    const first = await setUpWebhook();
    const second = await setUpWebhook();
    expect(first.header).toEqual(second.header);
    expect(first.header["x-telegram-bot-api-secret-token"]).toMatch(/^[0-9a-f]{64}$/);
  });

  test("characters that are cut by the network stay whole", async () => {
    const { telegram, events, header, url } = await setUpWebhook();
    telegram.say("ann", "你好");
    await until(() => events.length === 1);
    const message = {
      message_id: 5,
      date: 1,
      text: "你好，世界",
      chat: { id: 1, type: "private" },
      from: { id: 1, is_bot: false },
    };
    const bytes = new TextEncoder().encode(JSON.stringify({ update_id: 1, message }));
    const dribble = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        const [next] = pieces.splice(0, 1);
        if (next) controller.enqueue(next);
        else controller.close();
      },
    });
    const pieces = Array.from(bytes, (byte) => Uint8Array.of(byte));
    const answer = await fetch(url, { method: "POST", body: dribble, headers: header, duplex: "half" });
    expect(answer.status).toBe(200);
    expect(events.at(-1)?.text).toBe("你好，世界");
  });

  test("what could not be stored is delivered again", async () => {
    const attempts: string[] = [];
    const { telegram, lines } = await setUpWebhook(async ({ id }) => {
      attempts.push(id);
      if (attempts.length < 3) throw new Error("disk full");
    });
    telegram.say("ann", "keep me");
    await until(() => telegram.pending === 0);
    expect(attempts).toHaveLength(3);
    expect(new Set(attempts).size).toBe(1);
    expect(lines()).toContain("disk full");
  });

  test("what comes after the end is left to Telegram", async () => {
    const { telegram, bot, post, header } = await setUpWebhook();
    await bot.stop();
    expect((await post('{"update_id": 1}', header)).status).toBe(503);
    telegram.say("ann", "later");
    expect(telegram.pending).toBe(1);
  });

  test("a URL that Telegram refuses is the operator's business", async () => {
    const telegram = await startSimulator();
    const { bot } = createBot(telegram, { webhook: { url: "http://example.com/" } });
    const error = await failure(bot.start(async () => {}, menu));
    expect(error).toMatchObject({ name: "ConfigError", code: "telegram_webhook" });
    expect(error.message).toContain("HTTPS");
  });
});

describe("hostile input", () => {
  const me = { id: 7_000_000_001, username: "colloquy_bot" };
  const odd = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(null, "5", -1, 1e300, "__proto__", [], {}, { id: 5 }, { id: "5", type: "private" }),
  );
  /** Mostly as it should be, so that something is left to go wrong further on. */
  const mostly = <T>(arbitrary: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 19, arbitrary }, { weight: 1, arbitrary: odd });
  const entity = fc.record({
    type: fc.constantFrom("mention", "text_mention", "bold"),
    offset: mostly(fc.nat(30)),
    length: mostly(fc.nat(30)),
    user: mostly(fc.constant({ id: me.id })),
  });
  const type = fc.constantFrom("private", "group", "supergroup", "channel");
  const message = fc.record(
    {
      message_id: mostly(fc.nat()),
      date: mostly(fc.nat()),
      from: mostly(fc.record({ id: fc.nat(), first_name: fc.string(), is_bot: mostly(fc.constant(false)) })),
      chat: mostly(fc.record({ id: fc.integer(), type })),
      text: mostly(fc.string({ unit: "binary" })),
      entities: mostly(fc.array(entity)),
      photo: odd,
      reply_to_message: mostly(fc.record({ from: mostly(fc.record({ id: fc.constant(me.id) })) })),
      ["__proto__"]: odd,
      constructor: odd,
    },
    { requiredKeys: ["message_id", "date", "from", "chat"] },
  );

  /** Any error but a refusal is a failure of the test. */
  function eventOf(update: unknown): ChatEvent | undefined {
    try {
      return toEvent(JSON.parse(JSON.stringify(update)), me);
    } catch (error) {
      if (error instanceof z.ZodError) return undefined;
      throw error;
    }
  }

  test("an update becomes an event that is plain data, or none, or is refused; nothing else", () => {
    let events = 0;
    fc.assert(
      fc.property(mostly(fc.record({ update_id: fc.nat(), message })), (update) => {
        const event = eventOf(update);
        if (!event) return;
        events += 1;
        expect(JSON.parse(JSON.stringify(event))).toEqual(event);
        expect(event.id).toMatch(/^telegram:7000000001:\d+$/);
        expect([typeof event.user.id, typeof event.text, typeof event.at]).toEqual([
          "string",
          "string",
          "number",
        ]);
      }),
      { numRuns: runs(630) },
    );
    expect(events).toBeGreaterThan(0);
  });

  test("what is no message is none of ours, and no riddle either", () => {
    expect(toEvent({ update_id: 1 }, me)).toBeUndefined();
    expect(toEvent({ update_id: 1, edited_message: { text: "changed" } }, me)).toBeUndefined();
  });

  test("odd updates are skipped, and the bot lives on", async () => {
    const { telegram, next, lines } = await setUp();
    for (const value of fc.sample(odd, 200)) telegram.update({ message: value });
    telegram.update({ message: undefined });
    telegram.update({ update_id: "7", message: { text: "an id that is no number" } });
    telegram.say("ann", "still there?");
    expect(await next()).toMatchObject({ text: "still there?" });
    await until(() => telegram.pending === 0);
    expect(lines()).toContain("malformed update");
    expect(lines()).not.toContain("an id that is no number");
  });

  test("neither the token nor what was said gets into errors or logs", async () => {
    const { telegram, bot, next, lines } = await setUp();
    telegram.say("ann", "my private question");
    const { to } = await next();
    const errors: unknown[] = [];
    const leaky = {
      ok: false,
      error_code: 400,
      description: `Bad Request: "my private answer" at ${telegram.token}`,
    };
    const faults = ["reset", "html", "after", { status: 500 }, { status: 404, body: leaky }] as const;
    for (const how of [...faults, { status: 400, body: leaky }]) {
      telegram.fail({ method: "sendMessage", how });
      errors.push(await failure(bot.send(to, body("my private answer"), "k#0")));
    }
    telegram.fail({ method: "getUpdates", times: 2, how: "html" });
    telegram.say("ann", "my private question");
    await until(() => bot.health?.());
    const wrong = await failure(
      createBot({ ...telegram, token: "7000000001:wrong-secret" }).bot.start(async () => {}, []),
    );
    const everything = inspect([errors, wrong], { depth: 9, showHidden: true }) + lines() + bot.health?.();
    expect(everything).not.toContain(telegram.token.split(":")[1]);
    expect(everything).not.toContain("wrong-secret");
    expect(everything).not.toContain("my private");
    expect(errors).toHaveLength(6);
  });
});

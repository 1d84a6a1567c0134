import { serve } from "@hono/node-server";
import * as fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { createTelegram, type TelegramOptions } from "../../../adapters/telegram/adapter.ts";
import type { TelegramBody } from "../../../adapters/telegram/dialect/dialect.ts";
import { TelegramRefusal } from "../../../adapters/telegram/errors.ts";
import { pauseAfter } from "../../../adapters/telegram/receive/health.ts";
import {
  startTelegramSimulator,
  type TelegramSimulator,
} from "../../../adapters/telegram/simulator/simulator.ts";
import type { HttpEndpoint, Receive } from "../../../src/adapter.ts";
import { createColloquy } from "../../../src/colloquy.ts";
import { PlatformError } from "../../../src/errors.ts";
import type { ChatEvent } from "../../../src/event.ts";
import { startServer } from "../../../src/program/server.ts";
import { failure } from "../../support/failure.ts";
import { createScriptedModel } from "../../../src/testing/scripted-model.ts";
import { captureLog } from "../../support/log.ts";
import { until } from "../../../src/testing/until.ts";
import { runs } from "../../support/runs.ts";

const body = (text: string): TelegramBody => ({ text, entities: [] });
const calls = ({ calls }: TelegramSimulator, name: string) => calls.filter(({ method }) => method === name);

/** A connected bot, and what it has received. */
async function setUp(options: Partial<TelegramOptions> = {}) {
  const telegram = await startTelegramSimulator({ webhookRetryMs: 5 });
  const { log, lines } = captureLog();
  const { token, apiRoot } = telegram;
  const bot = createTelegram({ token, apiRoot, log, ...options });
  onTestFinished(async () => {
    await bot.stop();
    await telegram.close();
  });
  const events: ChatEvent[] = [];
  const receive: Receive = async (event) => void events.push(event);
  await bot.start(receive, []);
  return { telegram, bot, events, lines, next: () => until(() => events.shift(), "an event") };
}

/** A bot that is reached by webhook at a real port. */
async function setUpWebhook() {
  const hook = { url: "http://127.0.0.1:1/webhooks/telegram", secret: "a-secret" };
  const world = await setUp({ webhook: hook, webhookCheckSeconds: 0.01 });
  const troubles = () => ({});
  const server = await startServer({ host: "127.0.0.1", port: 0, adapters: [world.bot], health: troubles });
  onTestFinished(() => server.close());
  const secret = { "x-telegram-bot-api-secret-token": "a-secret" };
  // A kept connection may be closed by the server in the very moment in which it is used again.
  const post = (content: string, headers: Record<string, string> = secret) =>
    fetch(`${server.url}/webhooks/telegram`, {
      method: "POST",
      body: content,
      headers: { ...headers, connection: "close" },
    });
  const setWebhook = (url: string) =>
    fetch(`${world.telegram.apiRoot}bot${world.telegram.token}/setWebhook?url=${encodeURIComponent(url)}`);
  return { ...world, hook, post, setWebhook };
}

describe("a webhook", () => {
  test("that somebody takes away is set again", async () => {
    const { telegram, bot, setWebhook, lines } = await setUpWebhook();
    await setWebhook("");
    await until(() => lines().includes("setting it again"));
    await until(() => calls(telegram, "setWebhook").length === 3);
    const [first, , again] = calls(telegram, "setWebhook");
    expect(again?.payload).toEqual(first?.payload);
    await until(() => !bot.health?.());
  });

  test("that somebody sets by hand without the secret is set again, and what waited comes", async () => {
    const handler: { fetch?: HttpEndpoint["fetch"] } = {};
    const fetch = async (request: Request) =>
      (await handler.fetch?.(request)) ?? new Response(null, { status: 502 });
    const port = await new Promise<number>((resolve) => {
      const server = serve({ fetch, hostname: "127.0.0.1", port: 0 }, (address) => resolve(address.port));
      onTestFinished(() => void server.close());
    });
    const url = `http://127.0.0.1:${port}/`;
    const { telegram, bot, next, lines } = await setUp({ webhook: { url }, webhookCheckSeconds: 0.05 });
    handler.fetch = async (request) =>
      (await bot.http?.fetch(request)) ?? new Response(null, { status: 404 });
    await globalThis.fetch(
      `${telegram.apiRoot}bot${telegram.token}/setWebhook?url=${encodeURIComponent(url)}`,
    );
    telegram.say("ann", "can you hear me?");
    expect(await next()).toMatchObject({ text: "can you hear me?" });
    expect(lines()).toContain("another secret; setting it again");
  });

  test("that somebody else sets is a trouble, and is not fought over", async () => {
    const { telegram, bot, hook, setWebhook } = await setUpWebhook();
    await setWebhook("http://127.0.0.1:2/elsewhere");
    expect(await until(() => bot.health?.())).toContain("another program has set a webhook");
    expect(calls(telegram, "setWebhook")).toHaveLength(2);
    await setWebhook(hook.url);
    await until(() => !bot.health?.());
  });

  test("to which Telegram delivers in vain is a trouble that names the reason", async () => {
    const { telegram, bot } = await setUpWebhook();
    telegram.say("ann", "can you hear me?");
    const sentence = await until(() => bot.health?.());
    expect(sentence).toContain("Connection failed");
    expect(sentence).toContain("TELEGRAM_WEBHOOK_URL");
  });

  test("is looked after until the bot stops, and not by one that polls", async () => {
    const { telegram, bot } = await setUpWebhook();
    await until(() => calls(telegram, "getWebhookInfo").length > 2);
    telegram.fail({ method: "getWebhookInfo", how: "hang" });
    const before = calls(telegram, "getWebhookInfo").length;
    await until(() => calls(telegram, "getWebhookInfo").length > before);
    await bot.stop();
    expect(bot.health?.()).toBeUndefined();
  });
});

describe("polling", () => {
  test("a poll to which nobody ever answers is given up and made anew", async () => {
    const { telegram, bot, next } = await setUp({ pollSeconds: 1 });
    telegram.fail({ method: "getUpdates", how: "hang" });
    expect(await until(() => bot.health?.(), "the end of a dead poll", 25_000)).toContain(
      "no answer in time",
    );
    telegram.say("ann", "still there?");
    expect(await next()).toMatchObject({ text: "still there?" });
    await until(() => !bot.health?.());
  });

  test("polls that come back at once with nothing are not repeated at once", async () => {
    const { telegram, events, next } = await setUp();
    await until(() => calls(telegram, "getUpdates").length === 1);
    const off = telegram.fail({
      method: "getUpdates",
      times: 1000,
      how: { status: 200, body: { ok: true, result: [] } },
    });
    telegram.say("ann", "wakes the poll that is held");
    await next();
    const before = calls(telegram, "getUpdates").length;
    await until(() => calls(telegram, "getUpdates").length > before);
    off();
    telegram.say("ann", "still there?");
    await until(() => events.some(({ text }) => text === "still there?"));
    expect(calls(telegram, "getUpdates").length).toBeLessThan(before + 10);
  });

  test("the pauses between attempts grow, and never become a storm or an eternity", () => {
    const refusal = (status: number, retryAfterMs?: number) =>
      new TelegramRefusal(
        { status, description: "" },
        "no",
        retryAfterMs === undefined ? {} : { retryAfterMs },
      );
    fc.assert(
      fc.property(fc.constantFrom(0, 409, 500, 502, 401, 404), fc.nat(100_000), (status, failures) => {
        const ms = pauseAfter(refusal(status), failures);
        expect(ms).toBeGreaterThanOrEqual(status === 409 ? 3000 : 750);
        expect(ms).toBeLessThanOrEqual(30_000);
        if (failures > 5) expect(ms).toBeGreaterThanOrEqual(22_500);
      }),
    );
    expect(pauseAfter(refusal(429, 60_000), 0)).toBeGreaterThanOrEqual(60_000);
    expect(pauseAfter(refusal(429, 0), 0)).toBeGreaterThanOrEqual(500);
  });
});

describe("a chat", () => {
  const reasons = [
    [403, "Forbidden: bot was blocked by the user"],
    [403, "Forbidden: user is deactivated"],
    [403, "Forbidden: bot was kicked from the supergroup chat"],
    [403, "Forbidden: bot can't initiate conversation with a user"],
    [400, "Bad Request: chat not found"],
    [400, "Bad Request: not enough rights to send text messages to the chat"],
    [400, "Bad Request: CHAT_WRITE_FORBIDDEN"],
  ] as const;
  test.each(reasons)("that is out of reach is so for good: %i %s", async (status, description) => {
    const { telegram, bot, next } = await setUp();
    telegram.say("ann", "hi");
    const { to } = await next();
    const no = { status, body: { ok: false, error_code: status, description } };
    telegram.fail({ method: "sendMessage", how: no });
    telegram.fail({ method: "editMessageText", how: no });
    expect(await failure(bot.send(to, body("x"), "k#0"))).toMatchObject({ permanent: true });
    expect(await failure(bot.edit?.(to, "1", body("x")) ?? Promise.resolve())).toMatchObject({
      permanent: true,
    });
  });

  test("a wait of years is one of a day: longer timers go off at once", async () => {
    const { telegram, bot, next } = await setUp();
    telegram.say("ann", "hi");
    const { to } = await next();
    const parameters = { retry_after: 1e12 };
    telegram.fail({
      method: "sendMessage",
      how: { status: 429, body: { ok: false, error_code: 429, parameters } },
    });
    expect(await failure(bot.send(to, body("x"), "k#0"))).toMatchObject({ retryAfterMs: 86_400_000 });
  });
});

describe("a group that becomes a supergroup in the middle of an answer", () => {
  async function moved() {
    const { telegram, bot, next } = await setUp();
    telegram.say("ann", "/ask why", { chat: "family" });
    const { to } = await next();
    const old = await bot.send(to, body("because"), "k#0");
    telegram.migrate("family");
    return { telegram, bot, to, old };
  }

  test("has left the old messages behind: they are gone, and nothing else is touched", async () => {
    const { telegram, bot, to, old } = await moved();
    const edit = bot.edit?.(to, old, body("because of that")) ?? Promise.resolve();
    expect(await failure(edit)).toMatchObject({ gone: true, permanent: false });
    await bot.remove?.(to, old);
    expect(telegram.shows("family")).toEqual(["because"]);
  });

  test("gets new messages, without a quotation, that can be changed and removed", async () => {
    const { telegram, bot, to } = await moved();
    const ref = await bot.send(to, body("one"), "k#1");
    expect(calls(telegram, "sendMessage").at(-1)?.payload).not.toHaveProperty("reply_parameters");
    await bot.edit?.(to, ref, body("two"));
    await bot.edit?.(to, ref, body("two"));
    expect(telegram.shows("family")).toEqual(["because", "two"]);
    await bot.typing?.(to);
    await bot.remove?.(to, ref);
    await bot.remove?.(to, ref);
    expect(telegram.shows("family")).toEqual(["because"]);
  });
});

test("an answer that grows while its group becomes a supergroup is whole there", async () => {
  const telegram = await startTelegramSimulator();
  const hand = createScriptedModel();
  const { token, apiRoot } = telegram;
  const { log } = captureLog();
  const bot = await createColloquy({
    adapters: [createTelegram({ token, apiRoot, log, pace: { direct: 20, group: 20 } })],
    model: hand.model,
    store: "memory:",
    log,
  });
  onTestFinished(async () => {
    await bot.stop();
    await telegram.close();
  });
  await bot.start();
  telegram.say("ann", "/ask why", { chat: "family" });
  await until(() => hand.asked.length === 1);
  hand.say("one two");
  await until(() => telegram.shows("family").length === 1);
  telegram.migrate("family");
  hand.say(" three");
  await until(() => telegram.shows("family").length === 2);
  hand.say(" four");
  hand.end();
  await until(() => telegram.shows("family").at(-1) === "one two three four");
  expect(telegram.shows("family")).toEqual(["one two", "one two three four"]);
});

test("whatever is answered to a call, the outcome is a reference or a refusal", async () => {
  const { telegram, bot, next } = await setUp();
  telegram.say("ann", "hi");
  const { to } = await next();
  const some = { requiredKeys: [] };
  const odd = fc.oneof(fc.jsonValue(), fc.constantFrom(null, -1, 1e300, "__proto__", {}));
  const answer = fc.record(
    {
      ok: fc.oneof(fc.boolean(), odd),
      error_code: fc.oneof(fc.integer({ min: 100, max: 700 }), odd),
      description: fc.oneof(fc.string(), odd),
      parameters: fc.oneof(fc.record({ retry_after: odd, migrate_to_chat_id: odd }, some), odd),
      result: fc.oneof(fc.record({ message_id: odd, chat: odd }, some), odd),
      ["__proto__"]: odd,
    },
    some,
  );
  const status = fc.constantFrom(200, 400, 403, 404, 409, 429, 500, 502);
  await fc.assert(
    fc.asyncProperty(answer, status, async (body, status) => {
      const off = telegram.fail({ method: "sendMessage", how: { status, body } });
      const outcome = await bot.send(to, { text: "x", entities: [] }, "k#0").catch((error: unknown) => error);
      off();
      if (typeof outcome !== "string") expect(outcome).toBeInstanceOf(PlatformError);
      else expect(outcome).toMatch(/^(-?\d+\/)?-?\d+$/);
    }),
    { numRuns: runs(105) },
  );
});

describe("a hostile request to the webhook", () => {
  const message = (more: object) =>
    JSON.stringify({
      update_id: 9,
      message: {
        message_id: 1,
        date: 1,
        text: "hi",
        chat: { id: 1, type: "private" },
        from: { id: 1, is_bot: false },
        ...more,
      },
    });

  test("of 10 MB is refused before it is read, with or without the secret", async () => {
    const { post, events } = await setUpWebhook();
    const huge = message({ text: "x".repeat(10_000_000) });
    expect((await post(huge)).status).toBe(413);
    expect((await post(huge, {})).status).toBe(401);
    expect((await post(message({}))).status).toBe(200);
    expect(events).toHaveLength(1);
  });

  test.each([
    ["ids as strings", { chat: { id: "1", type: "private" } }],
    ["ids beyond 2^53", { from: { id: 2 ** 60, is_bot: false } }],
    ["a message id beyond 2^53", { message_id: 2 ** 53 }],
    ["a date that is none", { date: -5 }],
    ["a text that is none", { text: { toString: 1 } }],
  ])("with %s is acknowledged and passed over", async (_, more) => {
    const { post, events, lines } = await setUpWebhook();
    expect((await post(message(more))).status).toBe(200);
    expect(events).toEqual([]);
    expect(lines()).toContain("malformed update");
  });

  test("with foreign keys leaves no trace of them", async () => {
    const { post, events } = await setUpWebhook();
    const keys = '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"message"';
    const text = message({})
      .replaceAll('"message"', keys)
      .replaceAll('"chat":{', '"chat":{"__proto__":{"x":1},');
    expect((await post(text)).status).toBe(200);
    expect(JSON.stringify(events)).not.toMatch(/polluted|__proto__|constructor/);
    expect(events).toHaveLength(1);
    expect("polluted" in {}).toBe(false);
  });

  test("of any shape gets an answer, and never an error of ours", async () => {
    const { post, events } = await setUpWebhook();
    const deep = "[".repeat(200_000) + "]".repeat(200_000);
    expect((await post(deep)).status).toBe(200);
    const content = fc.oneof(
      fc.json(),
      fc.string({ unit: "binary" }),
      fc.json().map((json) => message({ json })),
    );
    await fc.assert(
      fc.asyncProperty(content, async (content) => {
        expect([200, 400]).toContain((await post(content)).status);
      }),
      { numRuns: runs(70) },
    );
    expect(events.every(({ text }) => text === "hi")).toBe(true);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

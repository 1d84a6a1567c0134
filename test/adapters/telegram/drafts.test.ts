import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "@hono/node-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { createTelegram, type TelegramOptions } from "../../../adapters/telegram/adapter.ts";
import {
  startTelegramSimulator,
  type TelegramSimulator,
  type TelegramSimulatorOptions,
} from "../../../adapters/telegram/simulator/simulator.ts";
import { createColloquy } from "../../../src/colloquy.ts";
import { type ChatEvent, conversationKey } from "../../../src/event.ts";
import { openStore } from "../../../src/store/store.ts";
import { parseMarkdown } from "../../../src/text/parse/markdown.ts";
import { failure } from "../../support/failure.ts";
import { createScriptedModel } from "../../../src/testing/scripted-model.ts";
import { captureLog } from "../../support/log.ts";
import { until } from "../../../src/testing/until.ts";

/** A quick pace: the simulator's flood control is off. */
const PACE = { direct: 20, group: 20, draft: 20 };

async function startSimulator(options: TelegramSimulatorOptions = {}): Promise<TelegramSimulator> {
  const telegram = await startTelegramSimulator(options);
  onTestFinished(() => telegram.close());
  return telegram;
}

/** An adapter with drafts that receives, and what it has received. */
async function setUp(simulator: TelegramSimulatorOptions = {}, options: Partial<TelegramOptions> = {}) {
  const telegram = await startSimulator(simulator);
  const { log, lines } = captureLog();
  const { token, apiRoot } = telegram;
  const adapter = createTelegram({ token, apiRoot, log, drafts: true, ...options });
  onTestFinished(() => adapter.stop());
  const events: ChatEvent[] = [];
  await adapter.start(async (event) => void events.push(event), []);
  telegram.say("ann", "hello");
  const { to } = await until(() => events[0]);
  const body = (markdown: string) => adapter.dialect.print(parseMarkdown(markdown));
  const draft = async (markdown: string, key = "k#0") => adapter.draft?.(to, key, body(markdown));
  return { telegram, adapter, events, lines, to, body, draft };
}

const methods = (telegram: TelegramSimulator) =>
  telegram.calls.map(({ method }) => method).filter((method) => /^(send(Rich)?Message|edit)/.test(method));
const count = (telegram: TelegramSimulator, method: string) =>
  telegram.calls.filter((call) => call.method === method).length;

describe("the adapter", () => {
  test("shows a draft with its formatting and a button; it is no message, and a message takes it away", async () => {
    const { telegram, adapter, to, body, draft } = await setUp();
    await draft("some **bold** words");
    expect(telegram.draft("ann")).toMatchObject({
      text: "some bold words",
      entities: [{ type: "bold", offset: 5, length: 4 }],
      canStop: true,
      keepOnStop: true,
    });
    expect(telegram.shows("ann")).toEqual([]);
    await adapter.send(to, body("some **bold** words"), "k#0");
    expect(telegram.draft("ann")).toBeUndefined();
    expect(telegram.shows("ann")).toEqual(["some bold words"]);
  });

  test("one page is one draft, another page another", async () => {
    const { telegram, draft } = await setUp();
    const ids: (number | undefined)[] = [];
    for (const [text, key] of [
      ["a", "k#0"],
      ["ab", "k#0"],
      ["c", "k#1"],
    ] as const) {
      await draft(text, key);
      ids.push(telegram.draft("ann")?.id);
    }
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
    expect(ids).not.toContain(undefined);
  });

  test("without drafts it has no such capability, and asks for no presses of the button", async () => {
    const { telegram, adapter } = await setUp({}, { drafts: false });
    expect(adapter.draft).toBeUndefined();
    expect(telegram.calls.find(({ method }) => method === "getUpdates")?.payload["allowed_updates"]).toEqual([
      "message",
      "callback_query",
    ]);
  });

  test("tables are drawn in drafts too, but not where the server knows no rich messages", async () => {
    const table = "| a | b |\n|---|---|\n| 1 | 2 |";
    const rich = await setUp();
    await rich.draft(table);
    expect(rich.telegram.draft("ann")?.rich?.blocks).toMatchObject([{ type: "table" }]);
    const plain = await setUp({ rich: false });
    await plain.draft(table);
    expect(plain.telegram.draft("ann")).toMatchObject({ entities: [{ type: "pre" }] });
    expect(plain.telegram.draft("ann")?.rich).toBeUndefined();
  });

  test("a group is not even asked", async () => {
    const { telegram, adapter, body } = await setUp();
    telegram.say("ann", "@colloquy_bot hi", { chat: "friends" });
    const refused = await failure(adapter.draft!({ chat: telegram.chatId("friends") }, "k#0", body("x")));
    expect(refused).toMatchObject({ permanent: true, code: "telegram_draft" });
    expect(count(telegram, "sendMessageDraft")).toBe(0);
  });

  test.each([
    ["the server knows none", { drafts: false }, undefined],
    ["the chat takes none", {}, "Bad Request: TEXTDRAFT_PEER_INVALID"],
  ])("no further one is tried if %s", async (_, simulator, description) => {
    const { telegram, draft, lines } = await setUp(simulator);
    const body = { ok: false, error_code: 400, description };
    if (description) telegram.fail({ method: "sendMessageDraft", how: { status: 400, body } });
    expect(await failure(draft("a"))).toMatchObject({ permanent: true });
    expect(await failure(draft("ab"))).toMatchObject({ permanent: true });
    expect(count(telegram, "sendMessageDraft")).toBe(1);
    expect(lines()).toContain("not in drafts");
  });

  test.each([
    [
      "a flood",
      { status: 429, body: { ok: false, error_code: 429, description: "x", parameters: { retry_after: 7 } } },
      7000,
    ],
    ["an outage", { status: 502 }, undefined],
    [
      "any other refusal",
      { status: 400, body: { ok: false, error_code: 400, description: "Bad Request: x" } },
      undefined,
    ],
    ["a broken connection", "reset", undefined],
  ] as const)("%s costs one draft, not all", async (_, how, retryAfterMs) => {
    const { telegram, draft } = await setUp();
    telegram.fail({ method: "sendMessageDraft", how });
    const refused = await failure(draft("a"));
    expect(refused).toMatchObject({ permanent: false, retryAfterMs });
    await draft("ab");
    expect(telegram.draft("ann")?.text).toBe("ab");
  });

  test("the button is /stop without words, of the same conversation, and the same event whenever it comes", async () => {
    const { telegram, events, draft } = await setUp();
    await draft("words");
    const update_id = telegram.stop("ann");
    const event = await until(() => events[1]);
    expect(event).toMatchObject({
      command: "stop",
      text: "",
      silent: true,
      to: { chat: telegram.userId("ann") },
    });
    expect(JSON.parse(JSON.stringify(event))).toEqual(event);
    expect(conversationKey(event)).toBe(conversationKey(events[0]!));
    const chat = { id: telegram.userId("ann"), type: "private", first_name: "Ann" };
    telegram.update({ update_id, stopped_message_generation: { chat, draft_id: 5 } });
    expect((await until(() => events[2])).id).toBe(event.id);
  });

  test("a webhook is told of the button too", async () => {
    const telegram = await startSimulator();
    const events: ChatEvent[] = [];
    const port = await new Promise<number>((resolve) => {
      const server = serve(
        { fetch: (request) => adapter.http!.fetch(request), hostname: "127.0.0.1", port: 0 },
        (info) => resolve(info.port),
      );
      onTestFinished(() => void server.close());
    });
    const url = `http://127.0.0.1:${port}/`;
    const { token, apiRoot } = telegram;
    const adapter = createTelegram({ token, apiRoot, drafts: true, webhook: { url } });
    onTestFinished(() => adapter.stop());
    await adapter.start(async (event) => void events.push(event), []);
    telegram.say("ann", "hello");
    const { to } = await until(() => events[0]);
    await adapter.draft!(to, "k#0", { text: "words", entities: [] });
    telegram.stop("ann");
    expect(await until(() => events[1])).toMatchObject({ command: "stop", silent: true });
  });
});

describe("the simulator", () => {
  async function call(telegram: TelegramSimulator, fields: object): Promise<string> {
    const response = await fetch(`${telegram.apiRoot}bot${telegram.token}/sendMessageDraft`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(fields),
    });
    const { ok, description } = (await response.json()) as { ok: boolean; description?: string };
    return ok ? "shown" : (description ?? "");
  }

  test("keeps Telegram's rules", async () => {
    const telegram = await startSimulator();
    telegram.say("ann", "hello");
    telegram.say("ann", "hello", { chat: "friends" });
    const chat_id = telegram.userId("ann");
    const far = [{ type: "bold", offset: 9, length: 1 }];
    expect(await call(telegram, { chat_id, draft_id: 0, text: "x" })).toContain("RANDOM_ID_INVALID");
    expect(await call(telegram, { chat_id, text: "x" })).toContain("RANDOM_ID_INVALID");
    expect(await call(telegram, { chat_id, draft_id: 1, text: "x".repeat(4097) })).toContain("too long");
    expect(await call(telegram, { chat_id, draft_id: 1, text: "x", entities: far })).toContain("entity");
    const group = telegram.chatId("friends");
    expect(await call(telegram, { chat_id: group, draft_id: 1, text: "x" })).toContain(
      "TEXTDRAFT_PEER_INVALID",
    );
    expect(telegram.draft("ann")).toBeUndefined();
    expect(await call(telegram, { chat_id, draft_id: 1, text: "" })).toBe("shown");
    expect(telegram.draft("ann")).toMatchObject({ text: "Thinking…", canStop: false });
    expect(() => telegram.stop("ann")).toThrow("no draft");
  });

  test("a draft vanishes by itself", async () => {
    const telegram = await startSimulator({ draftMs: 50 });
    telegram.say("ann", "hello");
    await call(telegram, { chat_id: telegram.userId("ann"), draft_id: 1, text: "x" });
    await until(() => telegram.draft("ann") === undefined);
    expect(telegram.screen("ann")).toHaveLength(1);
  });

  test("a draft whose button is pressed stays only if it is to, and then without the button", async () => {
    const telegram = await startSimulator();
    telegram.say("ann", "hello");
    const draft = { chat_id: telegram.userId("ann"), draft_id: 1, text: "x", can_stop: true };
    await call(telegram, draft);
    telegram.stop("ann");
    expect(telegram.draft("ann")).toBeUndefined();
    await call(telegram, { ...draft, keep_on_stop: true });
    telegram.stop("ann");
    expect(telegram.draft("ann")).toMatchObject({ text: "x", canStop: false });
    expect(() => telegram.stop("ann")).toThrow("no draft");
  });

  test("too many at once are refused", async () => {
    const telegram = await startSimulator({ flood: { draftsPerChatPerSecond: 2 } });
    telegram.say("ann", "hello");
    const draft = { chat_id: telegram.userId("ann"), draft_id: 1, text: "x" };
    const answers = await Promise.all([call(telegram, draft), call(telegram, draft), call(telegram, draft)]);
    expect(answers.toSorted()).toEqual(["Too Many Requests: retry after 1", "shown", "shown"]);
  });
});

describe("an answer", () => {
  /** A whole bot whose model says what the test gives it. */
  async function openBot(simulator: TelegramSimulatorOptions = {}, options: Partial<TelegramOptions> = {}) {
    const telegram = await startSimulator(simulator);
    const folder = mkdtempSync(join(tmpdir(), "colloquy-"));
    const store = `sqlite:${join(folder, "store.sqlite")}`;
    const { log, lines } = captureLog();
    const { token, apiRoot } = telegram;
    const hand = createScriptedModel();
    const bot = await createColloquy({
      adapters: [createTelegram({ token, apiRoot, log, drafts: true, pace: PACE, ...options })],
      model: hand.model,
      store,
      log,
    });
    onTestFinished(async () => {
      await bot.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    await bot.start();
    const ask = async (text: string, chat?: string) => {
      const before = hand.asked.length;
      telegram.say("ann", text, chat === undefined ? {} : { chat });
      await until(() => hand.asked.length > before);
    };
    const answered = (times = 1) => until(() => lines().split('"answered"').length > times, "the answer");
    return { telegram, hand, ask, answered, lines, store };
  }

  test("grows as a draft and is posted once, whole", async () => {
    const { telegram, hand, ask, answered, store } = await openBot();
    await ask("hello");
    hand.say("One **two");
    await until(() => telegram.draft("ann")?.text === "One two");
    hand.say("** three");
    await until(() => telegram.draft("ann")?.text === "One two three");
    const history = await (await openStore(store)).open("history");
    expect(await history.get(`telegram:${telegram.userId("ann")}`)).toBeUndefined();
    expect(telegram.shows("ann")).toEqual([]);
    hand.say(" four");
    hand.end();
    await answered();
    expect(telegram.shows("ann")).toEqual(["One two three four"]);
    expect(telegram.draft("ann")).toBeUndefined();
    expect(methods(telegram).filter((method) => method !== "sendMessageDraft")).toEqual(["sendMessage"]);
  });

  test("of several pages: full ones are posted, the growing one is a draft", async () => {
    const { telegram, hand, ask, answered } = await openBot();
    await ask("hello");
    const part = (n: number) => `Paragraph ${n}: ${"word ".repeat(300)}\n\n`;
    for (const n of [0, 1, 2, 3, 4, 5]) hand.say(part(n));
    await until(
      () => telegram.shows("ann").length === 2 && telegram.draft("ann")?.text.includes("Paragraph 5"),
    );
    const posted = telegram.shows("ann");
    hand.say("The end.");
    hand.end();
    await answered();
    expect(telegram.shows("ann").slice(0, 2)).toEqual(posted);
    const words = [0, 1, 2, 3, 4, 5].map(part).join("").concat("The end.").split(/\s+/);
    expect(telegram.shows("ann").join(" ").split(/\s+/)).toEqual(words);
    expect(telegram.draft("ann")).toBeUndefined();
    expect(count(telegram, "editMessageText")).toBe(0);
    expect(count(telegram, "sendMessage")).toBe(telegram.shows("ann").length);
  });

  test("in a group grows in its message", async () => {
    const { telegram, hand, ask, answered } = await openBot();
    await ask("@colloquy_bot hello", "friends");
    hand.say("One");
    await until(() => telegram.shows("friends")[0] === "One");
    hand.say(" two");
    hand.end();
    await answered();
    expect(methods(telegram)).toEqual(["sendMessage", "editMessageText"]);
    expect(telegram.shows("friends")).toEqual(["One two"]);
  });

  test("grows in its message if the server knows no drafts", async () => {
    const { telegram, hand, ask, answered } = await openBot({ drafts: false });
    for (const n of [1, 2]) {
      await ask("hello");
      hand.say("One");
      await until(() => telegram.shows("ann")[n - 1] === "One");
      hand.say(" two");
      hand.end();
      await answered(n);
    }
    expect(telegram.shows("ann")).toEqual(["One two", "One two"]);
    expect(count(telegram, "sendMessageDraft")).toBe(1);
  });

  test("drafts that fail are never made up for by edits", async () => {
    const { telegram, hand, ask, answered } = await openBot();
    const flood = {
      ok: false,
      error_code: 429,
      description: "Too Many Requests",
      parameters: { retry_after: 0 },
    };
    telegram.fail({ method: "sendMessageDraft", how: { status: 429, body: flood } });
    telegram.fail({ method: "sendMessageDraft", how: { status: 502 } });
    telegram.fail({ method: "sendMessageDraft", how: "reset" });
    await ask("hello");
    hand.say("One");
    await until(() => telegram.draft("ann"));
    hand.say(" two");
    hand.end();
    await answered();
    expect(telegram.shows("ann")).toEqual(["One two"]);
    expect(methods(telegram).filter((method) => method !== "sendMessageDraft")).toEqual(["sendMessage"]);
  });

  test("stays in sight while the model is silent, and looks the same", async () => {
    const { telegram, hand, ask, answered } = await openBot(
      { draftMs: 500 },
      { pace: { ...PACE, redraft: 100 } },
    );
    await ask("hello");
    hand.say("Wait");
    await until(() => count(telegram, "sendMessageDraft") >= 8 && telegram.draft("ann")?.text === "Wait");
    hand.end();
    await answered();
    expect(telegram.shows("ann")).toEqual(["Wait"]);
  });

  test("a look that does not change is drafted once", async () => {
    const { telegram, hand, ask, answered } = await openBot();
    await ask("hello");
    hand.say("One");
    await until(() => telegram.draft("ann"));
    for (let n = 0; n < 5; n += 1) hand.say(" ");
    hand.say("\n\n");
    hand.say("two");
    await until(() => telegram.draft("ann")?.text.endsWith("two"));
    hand.end();
    await answered();
    expect(count(telegram, "sendMessageDraft")).toBe(2);
  });

  test("is stopped by the button: what there is becomes a message, and nothing is said about it twice", async () => {
    const { telegram, hand, ask, answered } = await openBot();
    await ask("hello");
    hand.say("Once upon a time");
    await until(() => telegram.draft("ann"));
    const update_id = telegram.stop("ann");
    await answered(2);
    expect(telegram.shows("ann")).toEqual(["Once upon a time\n\n(stopped)"]);
    expect(telegram.draft("ann")).toBeUndefined();
    const chat = { id: telegram.userId("ann"), type: "private", first_name: "Ann" };
    telegram.update({ update_id, stopped_message_generation: { chat, draft_id: 5 } });
    await ask("go on");
    hand.say("there was a king.");
    hand.end();
    await answered(3);
    expect(telegram.shows("ann").slice(1)).toEqual(["there was a king."]);
  });
});

import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import {
  startTelegramSimulator,
  type TelegramSimulatorOptions,
} from "../../../adapters/telegram/simulator/simulator.ts";
import { until } from "../../../src/testing/until.ts";

const Answer = z.looseObject({
  ok: z.boolean(),
  result: z.unknown().optional(),
  error_code: z.number().optional(),
  description: z.string().optional(),
});
type Answer = z.infer<typeof Answer>;
const Updates = z.array(z.object({ message: z.object({ text: z.string() }) }));

async function setUp(options: TelegramSimulatorOptions = {}) {
  const telegram = await startTelegramSimulator(options);
  onTestFinished(() => telegram.close());
  const call = async (method: string, fields: object = {}, init: RequestInit = {}): Promise<Answer> => {
    const response = await fetch(`${telegram.apiRoot}bot${telegram.token}/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(fields),
      ...init,
    });
    return Answer.parse(await response.json());
  };
  const chat_id = telegram.userId("ann");
  /** Ann has spoken to the bot, and what the bot sends her comes back as Telegram keeps it. */
  telegram.say("ann", "/start");
  const send = async (text: unknown, entities: unknown = [], more: object = {}) => {
    const { ok, description } = await call("sendMessage", { chat_id, text, entities, ...more });
    return ok ? telegram.screen("ann").at(-1) : description;
  };
  return { telegram, call, send, chat_id };
}

const words = ({ result }: Answer) => Updates.parse(result).map(({ message }) => message.text);

/** Serves HTTP on any free port until the test is over. */
function listen(fetch: (request: Request) => Response | Promise<Response>): Promise<number> {
  return new Promise((resolve) => {
    const server = serve({ fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => resolve(port));
    onTestFinished(() => void server.close());
  });
}

test("tells who the bot is, whatever the case of the method and however the fields come", async () => {
  const { telegram, call, chat_id } = await setUp();
  expect(await call("getMe")).toMatchObject({
    ok: true,
    result: { id: Number(telegram.token.split(":")[0]), is_bot: true, username: "colloquy_bot" },
  });
  expect((await call("GETME")).ok).toBe(true);
  const byForm = await fetch(`${telegram.apiRoot}bot${telegram.token}/sendMessage?chat_id=${chat_id}`, {
    method: "POST",
    body: new URLSearchParams({ text: "bold", entities: '[{"type":"bold","offset":0,"length":4}]' }),
  });
  expect(byForm.status).toBe(200);
  expect(telegram.screen("ann").at(-1)).toMatchObject({
    text: "bold",
    entities: [{ type: "bold", offset: 0, length: 4 }],
  });
});

test("refuses wrong tokens, unknown methods and unknown chats as Telegram does", async () => {
  const { telegram, call } = await setUp();
  const at = async (path: string) => Answer.parse(await (await fetch(`${telegram.apiRoot}${path}`)).json());
  expect(await at("bot1:wrong/getMe")).toEqual({ ok: false, error_code: 401, description: "Unauthorized" });
  expect(await at("botwrong/getMe")).toMatchObject({ error_code: 404, description: "Not Found" });
  expect(await call("sendCake")).toMatchObject({
    error_code: 404,
    description: "Not Found: method not found",
  });
  expect(await call("sendMessage", { chat_id: 1, text: "x" })).toMatchObject({
    error_code: 400,
    description: "Bad Request: chat not found",
  });
});

test("ids of people are always the same and beyond 32 bits", async () => {
  const { telegram } = await setUp();
  const other = await setUp();
  expect(telegram.userId("ann")).toBe(other.telegram.userId("ann"));
  expect(telegram.userId("ann")).not.toBe(telegram.userId("bob"));
  expect(telegram.userId("ann")).toBeGreaterThan(2 ** 31);
});

test("an update is forgotten when a later poll asks for a higher offset, not before", async () => {
  const { telegram, call } = await setUp();
  const second = telegram.say("ann", "two");
  telegram.say("ann", "three");
  expect(words(await call("getUpdates"))).toEqual(["/start", "two", "three"]);
  expect(words(await call("getUpdates", { limit: 1 }))).toEqual(["/start"]);
  expect(telegram.pending).toBe(3);
  expect(words(await call("getUpdates", { offset: second }))).toEqual(["two", "three"]);
  expect(words(await call("getUpdates", { offset: -1 }))).toEqual(["three"]);
  expect(telegram.pending).toBe(1);
});

test("a poll is held until something is said, or until its time is over", async () => {
  const { telegram, call } = await setUp();
  const offset = telegram.say("ann", "before") + 1;
  const held = call("getUpdates", { offset, timeout: 50 });
  await until(() => telegram.pending === 0);
  telegram.say("ann", "now");
  expect(words(await held)).toEqual(["now"]);
  expect(await call("getUpdates", { offset: offset + 1, timeout: 1 })).toEqual({ ok: true, result: [] });
});

test("the older of two polls is ended, and a webhook forbids polling", async () => {
  const { telegram, call } = await setUp();
  const offset = telegram.say("ann", "before") + 1;
  const older = call("getUpdates", { offset, timeout: 50 });
  await until(() => telegram.pending === 0);
  const newer = call("getUpdates", { offset, timeout: 50 });
  expect(await older).toEqual({
    ok: false,
    error_code: 409,
    description:
      "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
  });
  await call("setWebhook", { url: "http://127.0.0.1:1/" });
  expect(await newer).toMatchObject({ error_code: 409, description: expect.stringContaining("setWebhook") });
  expect(await call("getUpdates")).toMatchObject({
    error_code: 409,
    description: expect.stringContaining("webhook is active"),
  });
});

test("a poll whose client has gone takes nothing along", async () => {
  const { telegram, call } = await setUp();
  const offset = telegram.say("ann", "before") + 1;
  const client = new AbortController();
  const held = call("getUpdates", { offset, timeout: 50 }, { signal: client.signal });
  await until(() => telegram.pending === 0);
  client.abort();
  await expect(held).rejects.toThrow("aborted");
  telegram.say("ann", "now");
  expect(words(await call("getUpdates", { offset, timeout: 50 }))).toEqual(["now"]);
});

test("only the wanted kinds of updates come", async () => {
  const { telegram, call } = await setUp();
  await call("getUpdates", { offset: -1, allowed_updates: ["message"] });
  telegram.update({ edited_message: { text: "changed" } });
  telegram.say("ann", "new");
  expect(words(await call("getUpdates"))).toEqual(["/start", "new"]);
});

test("updates are brought to a webhook, one at a time in a chat, until it says 2xx", async () => {
  const { telegram, call } = await setUp({ webhookRetryMs: 5 });
  const seen: string[] = [];
  let atOnce = 0;
  const hook = new Hono().post("/hook", async (c) => {
    atOnce += 1;
    expect(c.req.header("x-telegram-bot-api-secret-token")).toBe("s3cret");
    seen.push(Updates.element.parse(await c.req.json()).message.text);
    expect(atOnce).toBe(1);
    atOnce -= 1;
    return c.text("", seen.length === 1 ? 500 : 200);
  });
  const port = await listen(hook.fetch);
  telegram.say("ann", "two");
  const url = `http://127.0.0.1:${port}/hook`;
  expect(await call("setWebhook", { url, secret_token: "s3cret" })).toEqual({ ok: true, result: true });
  await until(() => telegram.pending === 0);
  expect(seen).toEqual(["/start", "/start", "two"]);
  expect(await call("getWebhookInfo")).toMatchObject({
    result: { url, pending_update_count: 0, last_error_message: expect.stringContaining("500") },
  });
  await call("deleteWebhook");
  expect(await call("getWebhookInfo")).toMatchObject({ result: { url: "" } });
});

test.each([
  ["http://example.com/", "bad webhook: An HTTPS URL must be provided for webhook"],
  ["https://example.com:9999/", "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"],
  ["nonsense", "bad webhook: Invalid URL specified"],
])("refuses the webhook %s", async (url, why) => {
  const { call } = await setUp();
  expect((await call("setWebhook", { url })).description).toBe(`Bad Request: ${why}`);
});

test.each([
  ["", "message text is empty"],
  [undefined, "message text is empty"],
  [" \n\t ", "text must be non-empty"],
  ["a".repeat(4097), "message is too long"],
  ["\ud800", "strings must be encoded in UTF-8"],
  ["好".repeat(11_000), "text is too long"],
])("refuses a text (%#)", async (text, why) => {
  const { send } = await setUp();
  expect(await send(text)).toBe(`Bad Request: ${why}`);
});

test("4096 characters fit, however many UTF-16 units they have", async () => {
  const { send } = await setUp();
  expect(await send("😀".repeat(4096))).toMatchObject({ text: "😀".repeat(4096) });
});

test("cleans and trims the text, and moves the formatting along", async () => {
  const { send } = await setUp();
  expect(await send("  a\r\n\tb\u202Ec  ", [{ type: "bold", offset: 5, length: 4 }])).toMatchObject({
    text: "a\n bc",
    entities: [{ type: "bold", offset: 2, length: 3 }],
  });
  // Leading blanks stay where formatting begins in them.
  expect(await send("   x", [{ type: "code", offset: 1, length: 3 }])).toMatchObject({
    text: "  x",
    entities: [{ type: "code", offset: 0, length: 3 }],
  });
});

test.each([
  [{ type: "bold", offset: 1, length: 1 }, "entity begins in a middle of a UTF-16 symbol at byte offset 4"],
  [
    { type: "bold", offset: 0, length: 1 },
    "entity beginning at UTF-16 offset 0 ends in a middle of a UTF-16 symbol",
  ],
  [{ type: "bold", offset: 0, length: 9 }, "ends after the end of the text at UTF-16 offset 9"],
  [{ type: "bold", offset: -1, length: 1 }, "incorrect offset"],
  [{ type: "glitter", offset: 0, length: 2 }, "Unsupported type specified"],
  [{ type: "text_link", offset: 0, length: 2, url: "mailto://ann@example.com" }, "Unsupported URL protocol"],
  [{ type: "text_link", offset: 0, length: 2, url: "http://localhost/x" }, "Wrong HTTP URL"],
  [{ type: "text_link", offset: 0, length: 2, url: "javascript:alert(1)" }, "Wrong port number"],
  [{ type: "text_link", offset: 0, length: 2 }, "URL host is empty"],
])("refuses a message for its formatting (%#)", async (entity, why) => {
  const { send } = await setUp();
  expect(await send("😀ab", [entity])).toContain(why);
});

test("accepts links without a protocol, with one, and into Telegram", async () => {
  const { send } = await setUp();
  const link = (url: string) => send("link", [{ type: "text_link", offset: 0, length: 4, url }]);
  for (const url of ["https://example.com:8443/a?b#c", "tg://resolve?domain=ann", "http://[::1]/"]) {
    expect(await link(url)).toMatchObject({ entities: [{ url }] });
  }
  expect(await link("Example.com")).toMatchObject({ entities: [{ url: "http://example.com/" }] });
  expect(await link("tg://user?id=1")).toMatchObject({ entities: [{ type: "text_mention" }] });
});

test("untangles formatting: nothing in code, no code in code, styles split where others begin", async () => {
  const { send } = await setUp();
  expect(
    await send("0123456789", [
      { type: "bold", offset: 0, length: 8 },
      { type: "code", offset: 2, length: 2 },
      { type: "code", offset: 3, length: 3 },
      { type: "italic", offset: 6, length: 4 },
      { type: "bold", offset: 9, length: 0 },
    ]),
  ).toMatchObject({
    entities: [
      { type: "bold", offset: 0, length: 2 },
      { type: "code", offset: 2, length: 2 },
      { type: "bold", offset: 4, length: 2 },
      { type: "italic", offset: 6, length: 4 },
      { type: "bold", offset: 6, length: 2 },
    ],
  });
});

test("keeps a hundred entities, code before styles, and drops the rest without a word", async () => {
  const { telegram, send } = await setUp();
  const text = "ab ".repeat(150).trim();
  const each = Array.from({ length: 150 }, (_, index) => ({
    type: index < 75 ? "bold" : "code",
    offset: index * 3,
    length: 2,
  }));
  await send(text, each);
  const kept = telegram.screen("ann").at(-1)?.entities ?? [];
  expect(kept.filter(({ type }) => type === "code")).toHaveLength(75);
  expect(kept.filter(({ type }) => type === "bold")).toEqual(each.slice(0, 25));
});

test("a style that links stand in counts once", async () => {
  const { telegram, send } = await setUp();
  const links = Array.from({ length: 99 }, (_, index) => ({
    type: "text_link",
    offset: index * 3,
    length: 2,
    url: "https://a.b/",
  }));
  await send("ab ".repeat(99), [...links, { type: "bold", offset: 0, length: 297 }]);
  const kept = telegram.screen("ann").at(-1)?.entities ?? [];
  expect(kept.filter(({ type }) => type === "text_link")).toHaveLength(99);
  expect(kept.filter(({ type }) => type === "bold").at(-1)).toMatchObject({ offset: 294, length: 2 });
});

test.each(["\u200b", " \n\t", "\u2800\u3000", "\u00a0\ufeff", "\ufffc"])("%j is nothing", async (text) => {
  const { send } = await setUp();
  expect(await send(text)).toBe("Bad Request: text must be non-empty");
});

test("there is no parse_mode", async () => {
  const { send } = await setUp();
  expect(await send("*x*", [], { parse_mode: "MarkdownV2" })).toContain("parse_mode");
});

test("messages are edited and deleted, and refused as Telegram does", async () => {
  const { telegram, call, chat_id } = await setUp();
  const [asked] = telegram.screen("ann");
  await call("sendMessage", { chat_id, text: "draft" });
  const message_id = telegram.screen("ann").at(-1)?.id;
  const edit = (fields: object) => call("editMessageText", { chat_id, message_id, text: "final", ...fields });
  expect((await edit({})).ok).toBe(true);
  expect(telegram.screen("ann").at(-1)).toMatchObject({ text: "final", edits: 1, from: "bot" });
  expect((await edit({})).description).toContain("message is not modified");
  expect((await edit({ text: "final " })).description).toContain("message is not modified");
  expect((await edit({ message_id: 999 })).description).toBe("Bad Request: message to edit not found");
  expect((await edit({ message_id: asked?.id })).description).toBe("Bad Request: message can't be edited");
  expect((await call("deleteMessage", { chat_id, message_id })).ok).toBe(true);
  expect((await call("deleteMessage", { chat_id, message_id })).description).toBe(
    "Bad Request: message to delete not found",
  );
  expect(telegram.shows("ann")).toEqual([]);
});

test("typing is shown until a message comes", async () => {
  const { telegram, call, chat_id } = await setUp();
  expect(telegram.typing("ann")).toBe(false);
  await call("sendChatAction", { chat_id, action: "typing" });
  expect(telegram.typing("ann")).toBe(true);
  await call("sendMessage", { chat_id, text: "there" });
  expect(telegram.typing("ann")).toBe(false);
  expect((await call("sendChatAction", { chat_id, action: "dancing" })).error_code).toBe(400);
});

test("keeps commands by language", async () => {
  const { call } = await setUp();
  const commands = [{ command: "ask", description: "Ask" }];
  expect((await call("setMyCommands", { commands, language_code: "zh" })).ok).toBe(true);
  expect((await call("getMyCommands")).result).toEqual([]);
  expect((await call("getMyCommands", { language_code: "zh" })).result).toEqual(commands);
  const wrong = [{ command: "Ask me", description: "Ask" }];
  expect((await call("setMyCommands", { commands: wrong })).description).toBe(
    "Bad Request: BOT_COMMAND_INVALID",
  );
});

test("who has blocked the bot gets nothing", async () => {
  const { telegram, send } = await setUp();
  telegram.block("ann");
  expect(await send("hello")).toBe("Forbidden: bot was blocked by the user");
  telegram.block("ann", false);
  expect(await send("hello")).toMatchObject({ text: "hello" });
});

test("flood control says how long to wait; edits count", async () => {
  const { call, chat_id, telegram } = await setUp({ flood: true });
  for (const text of ["1", "2"]) expect((await call("sendMessage", { chat_id, text })).ok).toBe(true);
  const message_id = telegram.screen("ann").at(-1)?.id;
  expect((await call("editMessageText", { chat_id, message_id, text: "3" })).ok).toBe(true);
  const refused = await call("sendMessage", { chat_id, text: "4" });
  expect(refused).toMatchObject({
    ok: false,
    error_code: 429,
    parameters: { retry_after: expect.any(Number) },
  });
  expect(refused.description).toMatch(/^Too Many Requests: retry after \d+$/);
  expect((await call("sendChatAction", { chat_id, action: "typing" })).ok).toBe(true);
});

test("a group has its own limit", async () => {
  const { telegram, call } = await setUp({ flood: { chatBurst: 100, perChatPerSecond: 100 } });
  telegram.say("ann", "hello all", { chat: "family" });
  const chat_id = telegram.chatId("family");
  expect(chat_id).toBeLessThan(0);
  for (let i = 0; i < 20; i += 1) expect((await call("sendMessage", { chat_id, text: "x" })).ok).toBe(true);
  expect(await call("sendMessage", { chat_id, text: "x" })).toMatchObject({ error_code: 429 });
});

test("a group that becomes a supergroup tells its new id", async () => {
  const { telegram, call } = await setUp();
  telegram.say("ann", "hello all", { chat: "family" });
  const chat_id = telegram.chatId("family");
  telegram.migrate("family");
  const moved = telegram.chatId("family");
  expect(await call("sendMessage", { chat_id, text: "x" })).toMatchObject({
    error_code: 400,
    parameters: { migrate_to_chat_id: moved },
  });
  expect((await call("sendMessage", { chat_id: moved, text: "x" })).ok).toBe(true);
  expect(telegram.shows("family")).toEqual(["x"]);
});

test("replies need their message, unless told otherwise", async () => {
  const { telegram, send } = await setUp();
  const [asked] = telegram.screen("ann");
  expect(await send("x", [], { reply_parameters: { message_id: asked?.id } })).toMatchObject({ text: "x" });
  expect(await send("x", [], { reply_parameters: { message_id: 999 } })).toBe(
    "Bad Request: message to be replied not found",
  );
  expect(
    await send("x", [], { reply_parameters: { message_id: 999, allow_sending_without_reply: true } }),
  ).toMatchObject({ text: "x" });
});

test("faults come in order, as often as planned", async () => {
  const { telegram, call, chat_id } = await setUp();
  telegram.fail({ method: "sendMessage", how: "after" });
  telegram.fail({ method: "getMe", how: "reset" });
  telegram.fail({ method: "getMe", how: { status: 502 } });
  telegram.fail({ method: "getMe", how: "html" });
  await expect(call("sendMessage", { chat_id, text: "done, but unknown" })).rejects.toThrow("fetch failed");
  expect(telegram.shows("ann")).toEqual(["done, but unknown"]);
  await expect(call("getMe")).rejects.toThrow("fetch failed");
  expect((await call("getMe")).error_code).toBe(502);
  await expect(call("getMe")).rejects.toThrow("JSON");
  expect((await call("getMe")).ok).toBe(true);
  const heal = telegram.fail({ how: "hang", times: Infinity });
  await expect(call("getMe", {}, { signal: AbortSignal.timeout(50) })).rejects.toThrow("timeout");
  heal();
  expect((await call("getMe")).ok).toBe(true);
  expect(telegram.calls.filter(({ method }) => method === "getMe")).toHaveLength(6);
});

test("can be closed while polls are held, and started again on the same port", async () => {
  const first = await startTelegramSimulator();
  const held = fetch(`${first.apiRoot}bot${first.token}/getUpdates?timeout=50`).then(
    (response) => response.json(),
    () => "gone",
  );
  await until(() => first.calls.length === 1);
  await first.close();
  await held;
  const second = await startTelegramSimulator({ port: Number(new URL(first.url).port) });
  expect(second.url).toBe(first.url);
  await second.close();
});

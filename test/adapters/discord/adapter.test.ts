import { once } from "node:events";
import { createServer } from "node:http";
import { inspect } from "node:util";
import * as fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { z } from "zod";
import { createDiscord } from "../../../adapters/discord/adapter.ts";
import {
  type DiscordSimulator,
  type DiscordSimulatorOptions,
  startDiscordSimulator,
} from "../../../adapters/discord/simulator/simulator.ts";
import type { CommandEntry, Receive } from "../../../src/adapter.ts";
import { ConfigError, PlatformError } from "../../../src/errors.ts";
import type { Address, ChatEvent } from "../../../src/event.ts";
import { failure } from "../../support/failure.ts";
import { captureLog } from "../../support/log.ts";
import { until } from "../../../src/testing/until.ts";
import { runs } from "../../support/runs.ts";

const menu: readonly CommandEntry[] = [
  {
    name: "ask",
    description: { en: "Ask a question", zh: "提问" },
    argument: { en: "What you want to know", zh: "想知道什么" },
  },
  { name: "reset", description: { en: "Begin anew", zh: "重新开始" } },
];

interface SetUp {
  readonly simulator?: DiscordSimulatorOptions;
  readonly receive?: Receive;
}

async function setUp({ simulator = {}, receive }: SetUp = {}) {
  const discord = await startDiscordSimulator(simulator);
  onTestFinished(() => discord.close());
  const events: ChatEvent[] = [];
  const { bot, lines } = createBot(discord);
  const take: Receive = receive ?? (async (event) => void events.push(event));
  await bot.start(take, menu);
  await until(() => discord.commands.length > 0, "commands are registered");
  const next = () => until(() => events.shift(), "an event");
  return { discord, bot, events, lines, next };
}

function createBot({ token, apiRoot }: Pick<DiscordSimulator, "token" | "apiRoot">) {
  const { log, lines } = captureLog();
  const bot = createDiscord({ token, apiRoot, log });
  onTestFinished(() => bot.stop());
  return { bot, lines };
}

const expired = (to: Address): Address => ({ ...to, expires: Date.now() - 1 });

test("a direct message comes in, and its answer is sent, edited and removed", async () => {
  const { discord, bot, next } = await setUp();
  const id = discord.say("ann", "why is rain wet?");
  const event = await next();
  expect(event).toEqual({
    id: `discord:${id}`,
    platform: "discord",
    user: { id: discord.userId("ann"), name: "ann" },
    chat: { id: discord.channelId("ann"), kind: "direct" },
    to: { channel: discord.channelId("ann"), question: id },
    text: "why is rain wet?",
    at: expect.any(Number),
  });
  expect(Math.abs(event.at - Date.now())).toBeLessThan(60_000);

  await bot.typing?.(event.to);
  const ref = await bot.send(event.to, { content: "Because" }, "a#0");
  await bot.edit?.(event.to, ref, { content: "Because of **water**." });
  expect(discord.shows("ann")).toEqual(["Because of **water**."]);
  expect(discord.calls.map(({ method, path }) => `${method} ${path}`)).toContain(
    `POST /channels/${discord.channelId("ann")}/typing`,
  );
  await bot.remove?.(event.to, ref);
  await bot.remove?.(event.to, ref);
  expect(discord.shows("ann")).toEqual([]);
});

test("a command typed in a direct message is a command", async () => {
  const { discord, next } = await setUp();
  discord.say("ann", "/Reset now");
  expect(await next()).toMatchObject({ command: "reset", text: "now" });
});

test("a message without text tells what was attached", async () => {
  const { discord, next } = await setUp();
  discord.say("ann", "", ["cat.png", "notes.pdf"]);
  expect(await next()).toMatchObject({ text: "", attachments: [{ kind: "image" }, { kind: "file" }] });
});

test("what bots, webhooks, servers and the system write is ignored", async () => {
  const { discord, bot, events, next } = await setUp();
  const message = {
    id: "1",
    channel_id: "2",
    channel_type: 1,
    type: 0,
    content: "no",
    author: { id: "3", username: "x" },
  };
  discord.emit("MESSAGE_CREATE", { ...message, author: { ...message.author, bot: true } });
  discord.emit("MESSAGE_CREATE", { ...message, webhook_id: "5" });
  discord.emit("MESSAGE_CREATE", { ...message, guild_id: "4" });
  discord.emit("MESSAGE_CREATE", { ...message, type: 6 });
  discord.emit("INTERACTION_CREATE", { id: "6", application_id: "7", type: 3, token: "t", data: {} });
  await bot.send({ channel: discord.channelId("ann") }, { content: "of the bot itself" }, "k");
  discord.say("ann", "yes");
  expect(await next()).toMatchObject({ text: "yes" });
  expect(events).toEqual([]);
});

test("/ask in the DM is deferred, and the answer takes the place of the deferral", async () => {
  const { discord, bot, next } = await setUp();
  const id = discord.ask("ann", "why is rain wet?", { locale: "zh-CN" });
  const event = await next();
  expect(event).toMatchObject({
    id: `discord:${id}`,
    user: { id: discord.userId("ann"), name: "ann", locale: "zh-CN" },
    chat: { id: discord.channelId("ann"), kind: "direct" },
    command: "ask",
    text: "why is rain wet?",
    placeholder: "@original",
  });
  expect(event.to["expires"]).toBe(event.at + 15 * 60_000);
  await until(() => discord.screen("ann").at(-1)?.state === "thinking");
  await bot.edit?.(event.to, "@original", { content: "Water." });
  expect(discord.screen("ann").map(({ from, text }) => [from, text])).toEqual([
    ["ann", "/ask why is rain wet?"],
    ["bot", "Water."],
  ]);
});

test("/ask in a server answers in that channel, as a conversation that others can read", async () => {
  const { discord, bot, next } = await setUp();
  discord.ask("ann", "q", { where: "guild" });
  const event = await next();
  expect(event.chat).toEqual({ id: discord.channelId("ann", "general"), kind: "group" });
  await until(() => discord.screen("ann", "general").at(-1)?.state === "thinking");
  await bot.typing?.(event.to);
  await bot.edit?.(event.to, "@original", { content: "one" });
  const ref = await bot.send(event.to, { content: "two" }, "k");
  await bot.edit?.(event.to, ref, { content: "two!" });
  expect(discord.shows("bob", "general")).toEqual(["one", "two!"]);
  await bot.remove?.(event.to, ref);
  expect(discord.shows("bob", "general")).toEqual(["one"]);
});

test("a bot that only the person installed answers through the interaction, five pages beyond the first", async () => {
  const { discord, bot, next } = await setUp();
  discord.ask("ann", "q", { where: "user-install" });
  const event = await next();
  expect(event.to["userInstallOnly"]).toBe(true);
  await until(() => discord.screen("ann", "elsewhere").at(-1)?.state === "thinking");
  await bot.edit?.(event.to, "@original", { content: "0" });
  for (const page of ["1", "2", "3", "4", "5"]) await bot.send(event.to, { content: page }, page);
  expect(discord.shows("ann", "elsewhere")).toEqual(["0", "1", "2", "3", "4", "5"]);
});

test("beyond that a page becomes a file of the first message, which can be changed and taken away", async () => {
  const { discord, bot, next } = await setUp();
  discord.ask("ann", "q", { where: "user-install" });
  const { to } = await next();
  await until(() => discord.screen("ann", "elsewhere").at(-1)?.state === "thinking");
  await bot.edit?.(to, "@original", { content: "0" });
  for (const page of ["1", "2", "3", "4", "5"]) await bot.send(to, { content: page }, page);
  const first = () => discord.screen("ann", "elsewhere").find(({ text }) => text === "0");
  const sixth = await bot.send(to, { content: "6" }, "event#6");
  // Its answer was lost, so it is sent again.
  expect(await bot.send(to, { content: "6" }, "event#6")).toBe(sixth);
  const seventh = await bot.send(to, { content: "7" }, "event#7");
  await bot.edit?.(to, sixth, { content: "six" });
  expect(first()?.files).toMatchObject([
    { name: "page-8.md", text: "7" },
    { name: "page-7.md", text: "six" },
  ]);
  await bot.remove?.(to, seventh);
  expect(first()?.files).toMatchObject([{ name: "page-7.md", text: "six" }]);
  await bot.files?.send?.(to, { name: "answer.md", content: "all", note: "see" }, "event#file");
  expect(first()).toMatchObject({ text: "0", files: [{ name: "answer.md", text: "all" }] });
});

test.each(["user-install", "guild"] as const)(
  "a late answer to %s goes to the person where the bot may not write",
  async (where) => {
    const { discord, bot, next } = await setUp();
    discord.ask("ann", "q", { where });
    const event = await next();
    const late = expired(event.to);
    const refused = { status: 403, body: { message: "Missing Permissions", code: 50013 } };
    const channel = discord.channelId("ann", "general");
    if (where === "guild")
      discord.fail({ method: "POST", path: new RegExp(`${channel}/messages$`), ...refused });
    const ref = await bot.send(late, { content: "late" }, "k");
    await bot.edit?.(late, ref, { content: "late!" });
    expect(discord.shows("ann")).toEqual(["late!"]);
    await bot.remove?.(late, ref);
    expect(discord.shows("ann")).toEqual([]);
  },
);

test("an answer that comes before the deferral defers by itself, and takes its place", async () => {
  const { discord, bot, lines } = await setUp({
    receive: async ({ to }) => bot.edit?.(to, "@original", { content: "quick" }),
  });
  discord.ask("ann", "q");
  await until(() => discord.calls.filter(({ path }) => path.endsWith("/callback")).length === 2);
  await until(() => discord.calls.every(({ status }) => status !== undefined));
  expect(discord.screen("ann").map(({ text }) => text)).toEqual(["/ask q", "quick"]);
  expect(lines()).not.toContain("no response in time");
});

test("100 slash commands at once are all deferred in time, though the store is slow", async () => {
  const { discord } = await setUp({ receive: () => new Promise(() => {}) });
  for (let n = 0; n < 100; n++) discord.ask("ann", `${n}`);
  const states = () => discord.screen("ann").map(({ state }) => state);
  await until(() => states().filter((state) => state !== undefined).length >= 100);
  expect(states().filter((state) => state === "thinking")).toHaveLength(100);
  expect(states()).not.toContain("unanswered");
});

test("a slash command without an argument has no text", async () => {
  const { discord, next } = await setUp();
  discord.ask("ann", "", { command: "reset" });
  expect(await next()).toMatchObject({ command: "reset", text: "" });
});

test("an interaction is stored before Discord is told", async () => {
  let store = () => {};
  const stored = new Promise<void>((resolve) => (store = resolve));
  let asked = false;
  const { discord } = await setUp({
    receive: async () => {
      asked = true;
      await stored;
    },
  });
  discord.ask("ann", "q");
  await until(() => asked);
  expect(discord.calls.some(({ path }) => path.endsWith("/callback"))).toBe(false);
  store();
  await until(() => discord.screen("ann").at(-1)?.state === "thinking");
});

test("a slow store does not make the deferral late", async () => {
  const { discord } = await setUp({ receive: () => new Promise(() => {}) });
  discord.ask("ann", "q");
  await until(() => discord.screen("ann").some(({ state }) => state !== undefined));
  expect(discord.screen("ann").map(({ state }) => state)).toEqual([undefined, "thinking"]);
});

test("when an event cannot be stored the person is told", async () => {
  const { discord, lines } = await setUp({ receive: () => Promise.reject(new Error("disk full")) });
  discord.ask("ann", "q", { locale: "zh-TW" });
  await until(() => discord.shows("ann").length === 1);
  discord.ask("bob", "q", { locale: "de" });
  await until(() => discord.shows("bob").length === 1);
  discord.say("cid", "q");
  await until(() => discord.shows("cid").length === 1);
  expect(discord.shows("ann")).toEqual(["这条消息未能保存，请重新发送。"]);
  expect(discord.shows("bob")).toEqual(["I could not save your message. Please send it again."]);
  expect(discord.shows("cid")[0]).toContain("Please send it again");
  expect(lines()).toContain("disk full");
});

test("a store that fails after the deferral is told in its place", async () => {
  let fail: (reason: Error) => void = () => {};
  const { discord } = await setUp({ receive: () => new Promise((_, reject) => (fail = reject)) });
  discord.ask("ann", "q");
  await until(() => discord.screen("ann").at(-1)?.state === "thinking");
  fail(new Error("disk full"));
  await until(() => discord.shows("ann").length === 1);
  expect(discord.shows("ann")[0]).toContain("Please send it again");
});

test("a deferral that is cut off is tried again, and counts once", async () => {
  const { discord, lines, next } = await setUp();
  discord.fail({ path: /callback$/, connection: "reset" });
  discord.ask("ann", "q");
  await next();
  await until(() => discord.screen("ann").at(-1)?.state === "thinking");
  discord.fail({ path: /callback$/, connection: "after" });
  discord.ask("bob", "q");
  await next();
  await until(
    () =>
      discord.calls.filter(({ path, status }) => path.endsWith("/callback") && status === 400).length === 1,
  );
  expect(discord.screen("bob").at(-1)?.state).toBe("thinking");
  expect(lines()).not.toContain("no response in time");
});

test("a deferral that comes too late is logged, and the answer goes to the channel", async () => {
  const { discord, bot, lines, next } = await setUp({ simulator: { responseMs: -1 } });
  discord.ask("ann", "q");
  const event = await next();
  await until(() => lines().includes("10062"));
  expect(await failure(bot.edit!(event.to, "@original", { content: "a" }))).toMatchObject({ gone: true });
  const ref = await bot.send(event.to, { content: "a" }, "k");
  expect(ref).toMatch(/^channel:\d+$/);
  expect(discord.shows("ann")).toEqual(["a"]);
});

test("the same key posts one message, though the first answer was lost", async () => {
  const { discord, bot, next } = await setUp();
  discord.say("ann", "q");
  const { to } = await next();
  discord.fail({ method: "POST", path: /messages$/, connection: "after" });
  const error = await failure(bot.send(to, { content: "once" }, "event#0"));
  expect(error).toMatchObject({ code: "discord_unreachable", permanent: false, gone: false });
  const ref = await bot.send(to, { content: "once" }, "event#0");
  await bot.send(to, { content: "another" }, "event#1");
  expect(discord.shows("ann")).toEqual(["once", "another"]);
  expect(discord.screen("ann").find(({ text }) => text === "once")?.id).toBe(ref);
});

test("a message of unknown outcome is found when Discord has forgotten its nonce", async () => {
  let now = Date.now();
  const { discord, bot, next } = await setUp({ simulator: { clock: () => now } });
  discord.say("ann", "q1");
  const first = await next();
  const answered = await bot.send(first.to, { content: "of q1" }, "q1#0");
  discord.say("ann", "q2");
  const { to } = await next();
  // Somebody asks on: that answer is not this one.
  discord.ask("ann", "q3");
  await until(() => discord.screen("ann").at(-1)?.state === "thinking");
  expect(await bot.recovery?.find?.(to, { content: "whole" }, [answered], "k#0")).toBeUndefined();
  const ref = await bot.send(to, { content: "ha" }, "q2#0");
  now += 10 * 60_000;
  expect(await bot.recovery?.find?.(to, { content: "half" }, [answered], "k#0")).toBe(ref);
  expect(await bot.recovery?.find?.(to, { content: "whole" }, [`channel:${answered}`], "k#0")).toBe(ref);
  expect(await bot.recovery?.find?.(to, { content: "next" }, [ref], "k#0")).toBeUndefined();
  expect(discord.shows("ann")).toEqual(["of q1", "whole"]);
});

test("when the interaction's token is dead the answer becomes a channel message that can be edited", async () => {
  const { discord, bot, next } = await setUp();
  discord.ask("ann", "q", { where: "guild" });
  const { to } = await next();
  await until(() => discord.screen("ann", "general").at(-1)?.state === "thinking");
  const late = expired(to);
  const error = await failure(bot.edit!(late, "@original", { content: "late" }));
  expect(error).toMatchObject({ code: "discord_expired", gone: true });
  await bot.remove?.(late, "@original");
  const ref = await bot.send(late, { content: "late" }, "k");
  await bot.edit?.(late, ref, { content: "late!" });
  expect(discord.shows("ann", "general")).toEqual(["late!"]);
});

test("when Discord says that the token is dead the answer becomes a channel message too", async () => {
  let now = Date.now();
  const { discord, bot, next } = await setUp({ simulator: { clock: () => now } });
  discord.ask("ann", "q");
  const { to } = await next();
  await until(() => discord.screen("ann").at(-1)?.state === "thinking");
  now += 15 * 60_000 + 1;
  expect(await failure(bot.edit!(to, "@original", { content: "a" }))).toMatchObject({
    code: "discord_50027",
    gone: true,
  });
  expect(await bot.send(to, { content: "a" }, "k")).toMatch(/^channel:/);
});

test("no message pings anyone, neither new nor edited", async () => {
  const { discord, bot, next } = await setUp();
  const content = `@everyone <@${discord.userId("bob")}> <@&123>`;
  discord.say("ann", "q");
  const direct = await next();
  const ref = await bot.send(direct.to, { content }, "k");
  await bot.edit?.(direct.to, ref, { content: `${content}!` });
  discord.ask("ann", "q", { where: "guild" });
  const command = await next();
  await until(() => discord.screen("ann", "general").at(-1)?.state === "thinking");
  await bot.edit?.(command.to, "@original", { content });
  const followUp = await bot.send(command.to, { content }, "k2");
  await bot.edit?.(command.to, followUp, { content });
  const lines = [...discord.screen("ann"), ...discord.screen("ann", "general")];
  expect(lines.filter(({ text }) => text.includes("@everyone"))).toHaveLength(3);
  expect(lines.flatMap(({ pings }) => pings)).toEqual([]);
});

test("commands are registered once, and again only when they changed", async () => {
  const { discord } = await setUp();
  expect(discord.commands[0]).toMatchObject({
    name: "ask",
    description: "Ask a question",
    description_localizations: { "zh-CN": "提问", "zh-TW": "提问" },
    integration_types: [0, 1],
    contexts: [0, 1, 2],
    options: [{ type: 3, name: "question", required: true, max_length: 6000 }],
  });
  const count = (method: string) =>
    discord.calls.filter((call) => call.method === method && call.path.includes("/commands")).length;
  const same = createBot(discord).bot;
  await same.start(async () => {}, menu);
  await until(() => count("GET") === 2);
  const changed = menu.map((entry) => ({ ...entry, description: { ...entry.description, zh: "新" } }));
  await createBot(discord).bot.start(async () => {}, changed);
  await until(() => count("PUT") === 2);
  expect(count("GET")).toBe(3);
});

test("commands that Discord refuses are logged and stop nothing", async () => {
  const bad = [{ name: "ask", description: { en: "x".repeat(101) } }];
  const simulator = await startDiscordSimulator();
  onTestFinished(() => simulator.close());
  const { bot, lines } = createBot(simulator);
  const events: ChatEvent[] = [];
  await bot.start(async (event) => void events.push(event), bad);
  await until(() => lines().includes("not registered"));
  expect(lines()).toContain("50035");
  simulator.say("ann", "still there?");
  await until(() => events.length === 1);
});

test("a rate limit is told with its time, and nothing is repeated", async () => {
  const { discord, bot, next } = await setUp({ simulator: { rateLimits: true } });
  discord.say("ann", "q");
  const { to } = await next();
  for (const page of ["1", "2", "3", "4", "5"]) await bot.send(to, { content: page }, page);
  const error = await failure(bot.send(to, { content: "6" }, "6"));
  expect(error).toMatchObject({
    code: "discord_rate_limited",
    retryAfterMs: expect.any(Number),
    permanent: false,
  });
  expect(discord.shows("ann")).toHaveLength(5);
});

test("an unexpected 429 is told with its time", async () => {
  const { discord, bot, next } = await setUp();
  discord.say("ann", "q");
  const { to } = await next();
  const body = { message: "You are being rate limited.", retry_after: 2.5, global: false };
  discord.fail({ path: /messages$/, status: 429, body, headers: { "retry-after": "2.5" } });
  expect(await failure(bot.send(to, { content: "a" }, "k"))).toMatchObject({ retryAfterMs: 2550 });
  await bot.send(to, { content: "a" }, "k");
  expect(discord.shows("ann")).toEqual(["a"]);
});

test.each([
  [
    { status: 500, body: { message: "oops" } },
    { code: "discord_server_error", permanent: false },
  ],
  [
    { status: 502, body: "<html>bad gateway</html>" },
    { code: "discord_server_error", permanent: false },
  ],
  [
    { status: 200, body: "<html>log in to the hotel</html>" },
    { code: "discord_unreachable", permanent: false },
  ],
  [{ connection: "reset" as const }, { code: "discord_unreachable", permanent: false }],
  [
    { status: 401, body: { message: "401: Unauthorized", code: 0 } },
    { code: "discord_token", permanent: false },
  ],
  [
    { status: 403, body: { message: "Missing Permissions", code: 50013 } },
    { code: "discord_50013", permanent: true },
  ],
  [
    { status: 404, body: { message: "Unknown Channel", code: 10003 } },
    { code: "discord_10003", permanent: true },
  ],
  [
    { status: 403, body: "<html>" },
    { code: "discord_403", permanent: true },
  ],
])("a fault of %j is told as %j, and the next attempt works", async (fault, expected) => {
  const { discord, bot, next } = await setUp();
  discord.say("ann", "q");
  const { to } = await next();
  discord.fail({ method: "POST", path: /messages$/, ...fault });
  const error = await failure(bot.send(to, { content: "a" }, "k"));
  expect(error).toBeInstanceOf(PlatformError);
  expect(error).toMatchObject(expected);
  await bot.send(to, { content: "a" }, "k");
  expect(discord.shows("ann")).toEqual(["a"]);
});

test("what cannot be sent is permanent, what was deleted is gone", async () => {
  const { discord, bot, next } = await setUp();
  discord.say("ann", "q");
  const { to } = await next();
  const ref = await bot.send(to, { content: "a" }, "k");
  await bot.remove?.(to, ref);
  expect(await failure(bot.edit!(to, ref, { content: "b" }))).toMatchObject({
    code: "discord_10008",
    gone: true,
  });
  expect(await failure(bot.send(to, { content: "x".repeat(2001) }, "k2"))).toMatchObject({ permanent: true });
  discord.block("ann");
  expect(await failure(bot.send(to, { content: "b" }, "k3"))).toMatchObject({
    code: "discord_50007",
    permanent: true,
  });
  expect(await failure(bot.send({ wrong: 1 }, { content: "b" }, "k4"))).toMatchObject({ permanent: true });
});

test("errors and logs hold no token and no text of a message", async () => {
  const { discord, bot, lines, next } = await setUp();
  discord.ask("ann", "q");
  const { to } = await next();
  await until(() => discord.screen("ann").at(-1)?.state === "thinking");
  const secrets = [discord.token, JSON.stringify(to["interaction"]).slice(1, -1), "SECRET-TEXT"];
  const body = { content: "SECRET-TEXT" };
  for (const fault of [
    { status: 400, body: { message: "Invalid Form Body", code: 50035 } },
    { status: 429, headers: { "retry-after": "0.01" } },
    { status: 503 },
    { connection: "reset" as const },
  ]) {
    discord.fail({ path: /webhooks/, ...fault });
    const error = await failure(bot.edit!(to, "@original", body));
    const told = inspect(error, { depth: 9 });
    for (const secret of secrets) expect(told).not.toContain(secret);
  }
  discord.fail({ path: /callback/, status: 404, body: { message: "Unknown interaction", code: 10062 } });
  discord.ask("ann", "q");
  await until(() => lines().includes("10062"));
  for (const secret of secrets) expect(lines()).not.toContain(secret);
});

test("a gateway connection that drops is resumed, and nothing is missed", async () => {
  const { discord, bot, events } = await setUp();
  discord.dropSockets();
  await until(() => discord.online() === 0);
  discord.say("ann", "while away");
  discord.ask("ann", "while away");
  await until(() => bot.health?.() !== undefined);
  await until(() => events.length === 2);
  expect(events.map(({ text }) => text)).toEqual(["while away", "while away"]);
  expect(bot.health?.()).toBeUndefined();
  expect(discord.calls.filter(({ path }) => path === "/gateway/bot")).toHaveLength(1);
});

test("it keeps trying while Discord is away at the start, and says so", async () => {
  const before = await startDiscordSimulator();
  await before.close();
  const { bot } = createBot(before);
  const started = bot.start(async () => {}, menu);
  await until(() => bot.health?.()?.includes("cannot be reached"));
  const discord = await startDiscordSimulator({ port: before.port });
  onTestFinished(() => discord.close());
  await started;
  expect(bot.health?.()).toBeUndefined();
  expect(discord.online()).toBe(1);
});

test.each([{ status: 502 }, { connection: "reset" as const }])(
  "it keeps trying while only the gateway is away (%j), with one connection in the end",
  async (fault) => {
    const discord = await startDiscordSimulator();
    onTestFinished(() => discord.close());
    discord.fail({ path: /gateway-socket/, ...fault });
    const { bot } = createBot(discord);
    const events: ChatEvent[] = [];
    await bot.start(async (event) => void events.push(event), menu);
    await startLater(discord);
    expect(discord.online()).toBe(2);
    discord.say("ann", "q");
    await until(() => events.length > 0);
    expect(events).toHaveLength(1);
  },
);

/** A second bot, connected after those that are still reconnecting, which takes the library half a second. */
async function startLater(discord: DiscordSimulator): Promise<void> {
  discord.fail({ path: /gateway-socket/, connection: "reset", times: 2 });
  await createBot(discord).bot.start(async () => {}, menu);
}

test("it can be stopped while the gateway is away, and then tries no more", async () => {
  const discord = await startDiscordSimulator();
  onTestFinished(() => discord.close());
  discord.fail({ path: /gateway-socket/, connection: "reset", times: 1 });
  const { bot } = createBot(discord);
  const started = bot.start(async () => {}, menu);
  await until(() => bot.health?.()?.includes("lost"));
  await bot.stop();
  await started;
  await startLater(discord);
  expect(discord.online()).toBe(1);
});

test("it can be stopped while it logs in, and then does not connect", async () => {
  const asked: string[] = [];
  const gateway = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  gateway.on("connection", (_, { url = "" }) => asked.push(url.slice(0, 2)));
  await once(gateway, "listening");
  let logins = 0;
  let stopped: Promise<void> | undefined;
  // Discord tells where the gateway is just when the first bot is stopped.
  const api = createServer((_, response) => {
    stopped ??= first.bot.stop();
    const url = `ws://127.0.0.1:${portOf(gateway)}/${++logins}`;
    const limit = { total: 9, remaining: 9, reset_after: 60_000, max_concurrency: 1 };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ url, shards: 1, session_start_limit: limit }));
  }).listen(0, "127.0.0.1");
  await once(api, "listening");
  onTestFinished(() => {
    gateway.close();
    api.close();
    api.closeAllConnections();
  });
  const discord = { token: "a.b.c", apiRoot: `http://127.0.0.1:${portOf(api)}/api` };
  const first = createBot(discord);
  await first.bot.start(async () => {}, menu);
  await stopped;
  const second = createBot(discord);
  const started = second.bot.start(async () => {}, menu);
  await until(() => asked.includes("/2"));
  expect(asked).toEqual(["/2"]);
  await second.bot.stop();
  await started;
});

function portOf(server: { address(): unknown }): number {
  return z.object({ port: z.number() }).parse(server.address()).port;
}

test("stopping is prompt, though Discord neither lets the socket in nor answers the goodbye", async () => {
  const discord = await startDiscordSimulator();
  onTestFinished(() => discord.close());
  discord.fail({ path: /gateway-socket/, connection: "hang" });
  const { bot } = createBot(discord);
  const started = bot.start(async () => {}, menu);
  await until(() => discord.calls.some(({ path }) => path === "/gateway/bot"));
  await bot.stop();
  await started;

  const mute = await startMuteGateway();
  const limit = { total: 9, remaining: 9, reset_after: 60_000, max_concurrency: 1 };
  const body = { url: mute.url, shards: 1, session_start_limit: limit };
  discord.fail({ path: /gateway\/bot/, status: 200, body });
  await bot.start(async () => {}, menu);
  await bot.stop();
  for (const socket of mute.server.clients) socket.resume();
  await until(() => mute.server.clients.size === 0, "the socket is closed");
  expect(bot.health?.()).toContain("stopped");
});

/** A gateway that says READY and then reads nothing more. */
async function startMuteGateway() {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => server.close());
  server.on("connection", (socket) => {
    socket.send(JSON.stringify({ op: 10, d: { heartbeat_interval: 41_250 } }));
    socket.once("message", () => {
      socket.pause();
      const d = {
        session_id: "s",
        resume_gateway_url: "ws://127.0.0.1:1",
        guilds: [],
        application: { id: "1" },
      };
      socket.send(JSON.stringify({ op: 0, s: 1, t: "READY", d }));
    });
  });
  await once(server, "listening");
  return { server, url: `ws://127.0.0.1:${portOf(server)}` };
}

test("a wrong token is an error for the operator", async () => {
  const discord = await startDiscordSimulator();
  onTestFinished(() => discord.close());
  for (const token of ["wrong.token.here", "two words", "", "тайна"]) {
    const error = await failure(createBot({ ...discord, token }).bot.start(async () => {}, menu));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.code).toBe("discord_token");
    expect(error.message).toContain("DISCORD_BOT_TOKEN");
    expect(error.message).not.toContain(token || "no token");
  }
});

test("intents that Discord refuses are an error for the operator", async () => {
  const discord = await startDiscordSimulator({ allowedIntents: 0 });
  onTestFinished(() => discord.close());
  const { bot } = createBot(discord);
  const error = await failure(bot.start(async () => {}, menu));
  expect(error).toBeInstanceOf(ConfigError);
  expect(error.code).toBe("discord_intents");
});

test("sending works before the start and after the stop", async () => {
  const discord = await startDiscordSimulator();
  onTestFinished(() => discord.close());
  const { bot } = createBot(discord);
  const to = { channel: discord.channelId("ann") };
  await bot.stop();
  await bot.send(to, { content: "before" }, "1");
  await bot.start(async () => {}, menu);
  await bot.stop();
  await bot.stop();
  await until(() => discord.online() === 0);
  await bot.send(to, { content: "after" }, "2");
  expect(discord.shows("ann")).toEqual(["before", "after"]);
  expect(bot.health?.()).toContain("stopped");
});

test("it can be started again after a stop", async () => {
  const { discord, bot } = await setUp();
  await bot.stop();
  const events: ChatEvent[] = [];
  await bot.start(async (event) => void events.push(event), menu);
  discord.say("ann", "again");
  await until(() => events.length > 0);
  expect(events.map(({ text }) => text)).toEqual(["again"]);
});

test("payloads of any form do no harm", async () => {
  const { discord, next, events } = await setUp();
  const wild = fc.oneof(
    fc.object({ maxDepth: 2 }),
    fc.record(
      {
        id: fc.oneof(fc.constant("12345"), fc.anything({ maxDepth: 1 })),
        channel_id: fc.constant("12345"),
        application_id: fc.constant("12345"),
        token: fc.oneof(fc.constant("t"), fc.anything({ maxDepth: 0 })),
        type: fc.integer({ min: -1, max: 3 }),
        author: fc.oneof(fc.constant({ id: "1" }), fc.anything({ maxDepth: 1 })),
        user: fc.oneof(fc.constant({ id: "1" }), fc.anything({ maxDepth: 1 })),
        content: fc.anything({ maxDepth: 1 }),
        attachments: fc.anything({ maxDepth: 2 }),
        data: fc.oneof(fc.constant({ name: "ask" }), fc.anything({ maxDepth: 2 })),
      },
      { requiredKeys: [] },
    ),
  );
  fc.assert(
    fc.property(fc.constantFrom("MESSAGE_CREATE", "INTERACTION_CREATE", "X"), wild, (type, payload) => {
      discord.emit(type, toJson(payload));
    }),
    { numRuns: runs(105) },
  );
  discord.say("ann", "still there?");
  await until(() => events.some(({ text }) => text === "still there?"));
  expect((await next()).platform).toBe("discord");
});

function toJson(value: object): object {
  const text = JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? String(part) : part));
  return Object(JSON.parse(text));
}

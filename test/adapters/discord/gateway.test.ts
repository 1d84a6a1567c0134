import { expect, type TestContext, test } from "vitest";
import { createDiscord } from "../../../adapters/discord/adapter.ts";
import {
  type DiscordSimulator,
  type DiscordSimulatorOptions,
  startDiscordSimulator,
} from "../../../adapters/discord/simulator/simulator.ts";
import type { CommandEntry, Receive } from "../../../src/adapter.ts";
import type { ChatEvent } from "../../../src/event.ts";
import { captureLog } from "../../support/log.ts";
import { until } from "../../../src/testing/until.ts";

const menu: readonly CommandEntry[] = [{ name: "ask", description: { en: "Ask" }, argument: { en: "What" } }];

/** Most of these tests wait: discord.js opens sessions five seconds apart. So they wait side by side. */

/** A store of one text, which outlives the bots. */
function createKeep() {
  const keep = {
    text: undefined as string | undefined,
    load: async () => keep.text,
    save: async (text: string) => void (keep.text = text),
  };
  return keep;
}

type Keep = Pick<ReturnType<typeof createKeep>, "load" | "save">;

async function setUp(context: TestContext, options: DiscordSimulatorOptions = {}) {
  const discord = await startDiscordSimulator(options);
  context.onTestFinished(() => discord.close());
  const keep = createKeep();
  const first = await run(context, { discord, keep });
  await until(() => discord.commands.length > 0);
  return { discord, keep, ...first };
}

interface Run {
  readonly discord: DiscordSimulator;
  readonly keep: Keep;
  readonly receive?: Receive;
}

/** A bot as a process would run it. */
async function run(context: TestContext, { discord, keep, receive }: Run) {
  const events: ChatEvent[] = [];
  const { log, lines } = captureLog();
  const { token, apiRoot } = discord;
  const bot = createDiscord({ token, apiRoot, log, sessions: () => keep });
  context.onTestFinished(() => bot.stop());
  await bot.start(receive ?? (async (event) => void events.push(event)), menu);
  const texts = () => events.map(({ text }) => text);
  return { bot, events, texts, lines };
}

const identified = (discord: DiscordSimulator) => discord.sessions().identified;
const resumed = (discord: DiscordSimulator) => discord.sessions().resumed;

test.concurrent("what is said while the process is down comes when its session is resumed", async (context) => {
  const { discord, keep, bot, events } = await setUp(context);
  discord.say("ann", "before");
  await until(() => events.length === 1);
  await bot.stop();
  await until(() => discord.online() === 0);
  discord.say("ann", "away 1");
  discord.say("bob", "away 2");
  discord.ask("ann", "away 3");
  const second = await run(context, { discord, keep });
  await until(() => second.events.length === 3);
  expect(second.texts()).toEqual(["away 1", "away 2", "away 3"]);
  await until(() => discord.screen("ann").at(-1)?.state === "thinking");
  discord.say("ann", "after");
  await until(() => second.events.length === 4);
  expect(discord.sessions()).toMatchObject({ identified: 1, resumed: 1 });
  expect(second.lines()).not.toContain(discord.token);
});

test.concurrent("a new process registers its commands though it only resumes", async (context) => {
  const { discord, keep, bot } = await setUp(context);
  await bot.stop();
  const changed = createDiscord({ token: discord.token, apiRoot: discord.apiRoot, sessions: () => keep });
  context.onTestFinished(() => changed.stop());
  await changed.start(async () => {}, [...menu, { name: "reset", description: { en: "Begin anew" } }]);
  await until(() => discord.commands.length === 2);
  expect(identified(discord)).toBe(1);
});

test.concurrent("what was not yet stored comes again, and no heartbeat has acknowledged it", async (context) => {
  // A beat that the next one overtakes on a busy machine would count as a dead connection.
  const discord = await startDiscordSimulator({ heartbeatMs: 100 });
  context.onTestFinished(() => discord.close());
  const keep = createKeep();
  const stored: string[] = [];
  const first = await run(context, {
    discord,
    keep,
    receive: ({ text }) => {
      stored.push(text);
      return text === "slow" ? new Promise(() => {}) : Promise.resolve();
    },
  });
  discord.say("ann", "quick");
  discord.say("bob", "slow");
  discord.say("cid", "behind");
  await until(() => stored.length === 3);
  const { heartbeats } = discord.sessions();
  await until(() => keep.text?.includes('"sequence":2'));
  await until(() => discord.sessions().heartbeats > heartbeats + 3);
  await first.bot.stop();
  const second = await run(context, { discord, keep });
  await until(() => second.events.length === 2);
  expect(second.texts()).toEqual(["slow", "behind"]);
});

test.concurrent("what a lost session missed is fetched from the direct channels, in order, with the same ids", async (context) => {
  const { discord, keep, bot, events } = await setUp(context);
  discord.say("ann", "ann before");
  discord.say("bob", "bob before");
  await until(() => events.length === 2);
  await bot.send({ channel: discord.channelId("ann") }, { content: "answer" }, "k");
  await bot.stop();
  await until(() => discord.online() === 0);
  discord.forgetSessions();
  const said = Array.from({ length: 230 }, (_, n) => discord.say("ann", `ann ${n}`));
  discord.say("bob", "bob 1");
  const second = await run(context, { discord, keep });
  await until(() => second.events.length === 231);
  expect(second.events.slice(0, 230).map(({ id }) => id)).toEqual(said.map((id) => `discord:${id}`));
  expect(second.events[0]).toMatchObject({
    text: "ann 0",
    user: { id: discord.userId("ann"), name: "ann" },
    chat: { id: discord.channelId("ann"), kind: "direct" },
  });
  expect(second.texts()).toContain("bob 1");
  expect(second.lines()).toContain("fetching missed messages");
  expect(second.bot.health?.()).toBeUndefined();
});

test.concurrent("fetching goes on after faults, and what is said meanwhile comes behind it", async (context) => {
  const { discord, keep, bot, events } = await setUp(context);
  discord.say("ann", "before");
  await until(() => events.length === 1);
  await bot.stop();
  discord.forgetSessions();
  discord.say("ann", "missed");
  const limited = { status: 429, body: { retry_after: 0.05 }, headers: { "retry-after": "0.05" } };
  discord.fail({ method: "GET", path: /messages$/, ...limited });
  discord.fail({ method: "GET", path: /messages$/, status: 503, times: 2 });
  const second = await run(context, { discord, keep });
  discord.say("ann", "live");
  await until(() => second.events.some(({ text }) => text === "live"));
  expect([...new Set(second.texts())]).toEqual(["missed", "live"]);
});

test.concurrent("fetching that was interrupted goes on in the next process", async (context) => {
  const { discord, keep, bot, events } = await setUp(context);
  discord.say("ann", "before");
  await until(() => events.length === 1);
  await bot.stop();
  discord.forgetSessions();
  discord.say("ann", "missed");
  discord.fail({ method: "GET", path: /messages$/, connection: "hang" });
  const second = await run(context, { discord, keep });
  discord.say("ann", "live");
  await until(() => discord.calls.some(({ path }) => path.includes("/messages?")));
  await second.bot.stop();
  const third = await run(context, { discord, keep });
  await until(() => third.texts().includes("live"));
  expect([...new Set(third.texts())]).toEqual(["missed", "live"]);
  expect(second.events).toEqual([]);
  expect(identified(discord)).toBe(2);
});

test.concurrent("a channel that is out of reach is left alone", async (context) => {
  const { discord, keep, bot, events } = await setUp(context);
  discord.say("ann", "before");
  discord.say("bob", "before");
  await until(() => events.length === 2);
  await bot.stop();
  discord.forgetSessions();
  discord.say("bob", "missed");
  const refused = { status: 403, body: { message: "Missing Access", code: 50001 } };
  discord.fail({ method: "GET", path: new RegExp(`${discord.channelId("ann")}/messages$`), ...refused });
  const second = await run(context, { discord, keep });
  await until(() => second.events.length === 1);
  expect(second.texts()).toEqual(["missed"]);
  await second.bot.stop();
  expect(keep.text).not.toContain(discord.channelId("ann"));
});

test.concurrent.for([
  ["no text", undefined],
  ["no JSON", "{"],
  ["other JSON", "[1]"],
  ["another bot's", JSON.stringify({ bot: "other", sessions: [], channels: [] })],
])("%s in the store is no past", async ([, text], context) => {
  const discord = await startDiscordSimulator();
  context.onTestFinished(() => discord.close());
  const keep = createKeep();
  keep.text = text;
  const { events } = await run(context, { discord, keep });
  discord.say("ann", "hello");
  await until(() => events.length === 1);
  await until(() => keep.text?.includes(discord.channelId("ann")));
});

test.concurrent("a store that fails is told once, and the bot goes on", async (context) => {
  const discord = await startDiscordSimulator();
  context.onTestFinished(() => discord.close());
  const { log, lines } = captureLog();
  let saves = 0;
  const broken = {
    load: () => Promise.reject(new Error("disk is gone")),
    save: () => Promise.reject(new Error(`disk is full ${++saves}`)),
  };
  const bot = createDiscord({ token: discord.token, apiRoot: discord.apiRoot, log, sessions: () => broken });
  context.onTestFinished(() => bot.stop());
  const events: ChatEvent[] = [];
  await bot.start(async (event) => void events.push(event), menu);
  discord.say("ann", "hello");
  await until(() => events.length === 1 && saves >= 2);
  expect(lines()).toContain("disk is gone");
  expect(lines().match(/disk is full/g)).toHaveLength(1);
});

test.concurrent.for(["reconnect", "resumable"] as const)(
  "told to come back (%s) it resumes",
  async (order, context) => {
    const { discord, texts } = await setUp(context);
    discord.order(order);
    await until(() => resumed(discord) === 1);
    discord.say("ann", "hello");
    await until(() => texts().includes("hello"));
    expect(identified(discord)).toBe(1);
  },
);

test.concurrent("told that its session is lost it opens a new one and fetches what it missed", async (context) => {
  const { discord, texts } = await setUp(context);
  discord.say("ann", "before");
  await until(() => texts().length === 1);
  discord.order("invalid");
  discord.say("ann", "missed");
  await until(() => texts().includes("missed"));
  expect(texts()).toEqual(["before", "missed"]);
  expect(discord.sessions()).toMatchObject({ identified: 2, resumed: 0 });
});

test.concurrent.for([undefined, 1001, 4002, 4008, 4009])(
  "a connection that ends with code %s is resumed",
  async (code, context) => {
    const { discord, bot, texts } = await setUp(context);
    discord.dropSockets(code);
    await until(() => bot.health?.() !== undefined);
    discord.say("ann", "away");
    await until(() => texts().includes("away"));
    expect(discord.sessions()).toMatchObject({ identified: 1, resumed: 1 });
    expect(bot.health?.()).toBeUndefined();
  },
);

test.concurrent.for([1000, 4007])("after code %s there is a new session", async (code, context) => {
  const { discord, bot, texts } = await setUp(context);
  discord.dropSockets(code);
  await until(() => bot.health?.() !== undefined);
  await until(() => identified(discord) === 2);
  discord.say("ann", "hello");
  await until(() => texts().includes("hello"));
});

test.concurrent("a network that is away does not cost the session", async (context) => {
  const { discord, bot, texts } = await setUp(context);
  discord.fail({ path: /gateway-socket/, connection: "reset", times: 2 });
  discord.dropSockets();
  await until(() => bot.health?.()?.includes("lost"));
  discord.say("ann", "away");
  await until(() => texts().includes("away"));
  expect(discord.sessions()).toMatchObject({ identified: 1, resumed: 1 });
});

test.concurrent("a session whose own address is dead is resumed at the general one", async (context) => {
  const { discord, keep, bot } = await setUp(context);
  await bot.stop();
  keep.text = keep.text?.replace(/"resumeURL":"[^"]+"/, '"resumeURL":"ws://127.0.0.1:9"');
  discord.say("ann", "away");
  const second = await run(context, { discord, keep });
  await until(() => second.events.length === 1);
  expect(discord.sessions()).toMatchObject({ identified: 1, resumed: 1 });
});

test.concurrent("a connection that is open but dead is noticed and resumed", async (context) => {
  const { discord, texts } = await setUp(context, { heartbeatMs: 100 });
  discord.muteSockets();
  discord.say("ann", "unheard");
  await until(() => texts().includes("unheard"));
  expect(identified(discord)).toBe(1);
});

test.concurrent.for([4004, 4010, 4011, 4012, 4013, 4014])(
  "code %s in the middle of the day is trouble, logged, and the end",
  async (code, context) => {
    const { discord, bot, lines } = await setUp(context);
    discord.dropSockets(code);
    const trouble = await until(() => bot.health?.());
    expect(lines()).toContain(trouble.slice(0, 40));
    expect(trouble).toContain(code === 4004 ? "DISCORD_BOT_TOKEN" : `${code}`);
    expect(discord.online()).toBe(0);
    expect(trouble).not.toContain("trying again");
  },
);

test.concurrent("a token that is refused while the gateway stands is trouble until it is taken again", async (context) => {
  const { discord, bot } = await setUp(context);
  const to = { channel: discord.channelId("ann") };
  discord.refuseToken(true);
  await expect(bot.send(to, { content: "a" }, "k")).rejects.toMatchObject({ code: "discord_token" });
  expect(bot.health?.()).toContain("DISCORD_BOT_TOKEN");
  discord.refuseToken(false);
  await bot.send(to, { content: "a" }, "k");
  expect(bot.health?.()).toBeUndefined();
});

test.concurrent("a gateway that talks nonsense does no harm", async (context) => {
  const { discord, keep, bot, lines, texts } = await setUp(context);
  for (const nonsense of ["", "null", "{", "[]", '{"op":10}', '{"op":9}', '{"op":0,"t":"READY"}', '{"op":1}'])
    discord.babble(nonsense);
  discord.dropSockets();
  await until(() => bot.health?.() !== undefined);
  await until(() => bot.health?.() === undefined);
  discord.say("ann", "hello");
  await until(() => texts().includes("hello"));
  expect(lines()).toContain("Discord's gateway: ");
  await bot.stop();
  keep.text = keep.text?.replace(/"resumeURL":"[^"]+"/, '"resumeURL":"ws://"');
  const second = await run(context, { discord, keep });
  discord.say("ann", "again");
  await until(() => second.texts().includes("again"));
});

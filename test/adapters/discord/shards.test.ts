import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, type TestContext, test } from "vitest";
import { createDiscord } from "../../../adapters/discord/adapter.ts";
import { partitionOf, shardOf } from "../../../adapters/discord/receive/shard.ts";
import {
  type DiscordSimulator,
  type DiscordSimulatorOptions,
  startDiscordSimulator,
} from "../../../adapters/discord/simulator/simulator.ts";
import type { CommandEntry } from "../../../src/adapter.ts";
import { ConfigError } from "../../../src/errors.ts";
import type { ChatEvent } from "../../../src/event.ts";
import { failure } from "../../support/failure.ts";
import { captureLog } from "../../support/log.ts";
import { until } from "../../../src/testing/until.ts";

const menu: readonly CommandEntry[] = [{ name: "ask", description: { en: "Ask" }, argument: { en: "What" } }];
/** Two shards that need not wait for each other. */
const TWO = { shards: 2, maxConcurrency: 2 };

type Sessions = NonNullable<Parameters<typeof createDiscord>[0]["sessions"]>;

/** Places that several bots share, as processes share a store. */
function createPlaces() {
  const texts = new Map<string, string>();
  const sessions: Sessions = (name) => ({
    load: async () => texts.get(name),
    save: async (text) => void texts.set(name, text),
  });
  return { texts, sessions };
}

async function open(context: TestContext, options: DiscordSimulatorOptions = TWO) {
  const discord = await startDiscordSimulator(options);
  context.onTestFinished(() => discord.close());
  return discord;
}

/** A bot as a process would run it. */
function create(context: TestContext, discord: DiscordSimulator, sessions?: Sessions) {
  const { token, apiRoot } = discord;
  const events: ChatEvent[] = [];
  const { log, lines } = captureLog();
  const bot = createDiscord({ token, apiRoot, log, ...(sessions && { sessions }) });
  context.onTestFinished(() => bot.stop());
  const start = (partition?: string) => bot.start(async (event) => void events.push(event), menu, partition);
  const partitions = async () => {
    const [first = "", second = ""] = (await bot.cluster?.partitions?.()) ?? [];
    return [first, second] as const;
  };
  return { bot, start, partitions, events, texts: () => events.map(({ text }) => text), lines };
}

/** A channel of a server that belongs to this one of two shards. */
function channelOn(discord: DiscordSimulator, shard: number): string {
  const names = Array.from({ length: 64 }, (_, n) => `server${n}/general`);
  const found = names.find((name) => (BigInt(discord.guildId(name)) >> 22n) % 2n === BigInt(shard));
  if (!found) throw new Error(`no server for shard ${shard}`);
  return found;
}

/** Somebody uses /ask in a server of this one of two shards. */
function askOn(discord: DiscordSimulator, shard: number, question: string): void {
  discord.ask("ann", question, { where: "guild", channel: channelOn(discord, shard) });
}

const registrations = (discord: DiscordSimulator) => discord.calls.filter(({ method }) => method === "PUT");

/** Two bots with a partition each, as two processes have them. */
async function shareOut(context: TestContext) {
  const discord = await open(context);
  const { sessions, texts: places } = createPlaces();
  const one = create(context, discord, sessions);
  const other = create(context, discord, sessions);
  const [first, second] = await one.partitions();
  await Promise.all([one.start(first), other.start(second)]);
  await until(() => discord.commands.length > 0);
  return { discord, sessions, places, one, other, first, second };
}

test.concurrent("each of two processes receives what is of its shard, once", async (context) => {
  const { discord, one, other, first, second, places } = await shareOut(context);
  expect([first, second]).toEqual(["discord:100000000000000000:0/2", "discord:100000000000000000:1/2"]);
  expect(await other.partitions()).toEqual([first, second]);
  discord.say("ann", "direct");
  discord.ask("ann", "direct command");
  askOn(discord, 0, "server of 0");
  askOn(discord, 1, "server of 1");
  await until(() => one.events.length === 3 && other.events.length === 1);
  expect(one.texts()).toEqual(["direct", "direct command", "server of 0"]);
  expect(other.texts()).toEqual(["server of 1"]);
  await until(() => discord.screen("ann", channelOn(discord, 1)).at(-1)?.state === "thinking");
  expect([...places.keys()].toSorted()).toEqual(["discord", "discord:1"]);
  expect(registrations(discord)).toHaveLength(1);
  expect(discord.sessions()).toMatchObject({ identified: 2, resumed: 0 });
  expect([one.bot.health?.(), other.bot.health?.()]).toEqual([undefined, undefined]);
});

test.concurrent.for([0, 1])(
  "shard %i is left and taken over by the other process, which resumes it and registers nothing anew",
  async (index, context) => {
    const { discord, one, other, first, second } = await shareOut(context);
    const [partition, from, to] = index === 0 ? [first, one, other] : [second, other, one];
    askOn(discord, index, "before");
    await until(() => from.texts().includes("before"));
    await from.bot.stop(partition);
    await from.bot.stop(partition);
    await until(() => discord.online() === 1);
    expect(from.bot.health?.()).toBeUndefined();
    askOn(discord, index, "meanwhile");
    if (index === 0) discord.say("bob", "meanwhile, directly");
    await to.start(partition);
    askOn(discord, index, "after");
    askOn(discord, 1 - index, "elsewhere");
    await until(() => to.texts().includes("after") && to.texts().includes("elsewhere"));
    const direct = index === 0 ? ["meanwhile, directly"] : [];
    expect(to.texts()).toEqual(["meanwhile", ...direct, "after", "elsewhere"]);
    expect(from.texts()).toEqual(["before"]);
    expect(discord.sessions()).toMatchObject({ identified: 2, resumed: 1 });
    const listed = () => discord.calls.filter(({ path }) => path.includes("/commands?"));
    await until(() => listed().length === (index === 0 ? 2 : 1));
    expect(registrations(discord)).toHaveLength(1);
  },
);

test.concurrent("a partition comes back to a process that had it before, with what the other one took in meanwhile", async (context) => {
  const { discord, one, other, first } = await shareOut(context);
  discord.say("ann", "1");
  await until(() => one.texts().includes("1"));
  await one.bot.stop(first);
  await other.start(first);
  discord.say("ann", "2");
  await until(() => other.texts().includes("2"));
  // A new session, of which the first process knows nothing by itself.
  discord.order("invalid");
  await until(() => discord.sessions().identified === 4);
  discord.say("ann", "3");
  await until(() => other.texts().includes("3"));
  await other.bot.stop(first);
  discord.say("ann", "4");
  await one.start(first);
  await until(() => one.texts().includes("4"));
  expect(one.texts()).toEqual(["1", "4"]);
  expect(other.texts()).toEqual(["2", "3"]);
  expect(discord.sessions()).toMatchObject({ identified: 4, resumed: 2 });
});

test.concurrent("a process that is killed says no goodbye, and the other one resumes what it had", async (context) => {
  const discord = await open(context);
  const folder = await mkdtemp(join(tmpdir(), "colloquy-"));
  context.onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const place = (name: string) => join(folder, encodeURIComponent(name));
  const kept = (name: string) => readFile(place(name), "utf8").catch(() => undefined);
  const { partitions, start, texts } = create(context, discord, (name) => ({
    load: () => kept(name),
    save: (text) => writeFile(place(name), text),
  }));
  const [first, second] = await partitions();
  await start(second);
  const script = fileURLToPath(new URL("shard-process.ts", import.meta.url));
  const args = ["--import", "tsx", script, discord.token, discord.apiRoot, folder, first];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  context.onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await until(() => said.includes("ready"));
  discord.say("ann", "before");
  await until(() => said.includes("before"));
  await until(async () => (await kept("discord"))?.includes("sessionId"));
  child.kill("SIGKILL");
  await until(() => discord.online() === 1);
  discord.say("ann", "meanwhile");
  await start(first);
  discord.say("ann", "after");
  await until(() => texts().includes("after"));
  // What the killed one took in last it may not have written down: then it comes again, with the same id.
  expect(texts().filter((text) => text !== "before")).toEqual(["meanwhile", "after"]);
  expect(discord.sessions()).toMatchObject({ identified: 2, resumed: 1 });
});

test.concurrent("what the session of a killed process would have missed is fetched from the direct channels", async (context) => {
  const { discord, one, other, first } = await shareOut(context);
  discord.say("ann", "before");
  await until(() => one.texts().includes("before"));
  await one.bot.stop(first);
  discord.say("ann", "missed");
  discord.forgetSessions();
  await other.start(first);
  await until(() => other.texts().includes("missed"));
  expect(other.texts()).toEqual(["missed"]);
});

test.concurrent("one process alone receives all shards, and goes on with them after a restart", async (context) => {
  const discord = await open(context);
  const { sessions } = createPlaces();
  const { bot, start, texts } = create(context, discord, sessions);
  await start();
  await until(() => discord.commands.length > 0);
  discord.say("ann", "direct");
  askOn(discord, 0, "server of 0");
  askOn(discord, 1, "server of 1");
  await until(() => texts().length === 3);
  expect(discord.online()).toBe(2);
  await bot.stop();
  await until(() => discord.online() === 0);
  askOn(discord, 1, "meanwhile");
  const second = create(context, discord, sessions);
  await second.start();
  await until(() => second.texts().includes("meanwhile"));
  expect(discord.sessions()).toMatchObject({ identified: 2, resumed: 2 });
  expect(discord.calls.filter(({ path }) => path === "/gateway/bot")).toHaveLength(2);
});

test.concurrent("what one shard kept serves when Discord wants two", async (context) => {
  const { sessions, texts: places } = createPlaces();
  const before = await open(context, {});
  const alone = create(context, before, sessions);
  await alone.start();
  before.say("ann", "hello");
  await until(() => alone.texts().includes("hello"));
  await alone.bot.stop();
  expect([...places.keys()]).toEqual(["discord"]);
  const after = await open(context, TWO);
  // The same person, who has written before the bot is back.
  after.say("ann", "missed");
  const both = create(context, after, sessions);
  await both.start();
  await until(() => both.texts().includes("missed"));
  expect(after.sessions()).toMatchObject({ identified: 2, resumed: 0 });
});

test.concurrent("trouble names the shard, of those that are started here", async (context) => {
  const { discord, one, other, first, second } = await shareOut(context);
  discord.fail({ path: /gateway-socket/, connection: "reset", times: 4 });
  discord.dropSockets();
  expect(await until(() => one.bot.health?.())).toMatch(/^Shard 0\/2: .* trying again\.$/);
  expect(await until(() => other.bot.health?.())).toMatch(/^Shard 1\/2: .* trying again\.$/);
  await other.bot.stop(second);
  expect(other.bot.health?.()).toBeUndefined();
  await one.bot.stop(first);
  await one.bot.stop();
  expect(one.bot.health?.()).toBe("Discord is stopped.");
});

test.concurrent("processes that open sessions at the same time wait and try again, without a storm", async (context) => {
  const discord = await open(context, { shards: 2, rateLimits: true });
  const one = create(context, discord);
  const other = create(context, discord);
  const [first, second] = await one.partitions();
  await Promise.all([one.start(first), other.start(second)]);
  const { identified, hasty } = discord.sessions();
  expect(identified).toBe(2);
  expect(hasty).toBeGreaterThan(0);
  expect(hasty).toBeLessThanOrEqual(3);
  askOn(discord, 0, "server of 0");
  askOn(discord, 1, "server of 1");
  await until(() => one.events.length === 1 && other.events.length === 1);
});

test.concurrent("the shards of one process open their sessions in turn", async (context) => {
  const discord = await open(context, { shards: 2, rateLimits: true });
  const { start } = create(context, discord);
  await start();
  expect(discord.sessions()).toMatchObject({ identified: 2, hasty: 0 });
});

test.concurrent("the partitions of a Discord that is away are told once it is back", async (context) => {
  const discord = await open(context);
  const { bot, partitions, start, lines } = create(context, discord);
  expect(bot.health?.()).toBe("Discord is not started.");
  discord.fail({ path: /gateway\/bot/, status: 200, body: "<html>a captive portal</html>" });
  discord.fail({ path: /gateway\/bot/, status: 200, body: { shards: 0 } });
  discord.fail({ path: /gateway\/bot/, connection: "reset" });
  const asked = partitions();
  await until(() => bot.health?.()?.includes("cannot be reached"));
  expect(await asked).toHaveLength(2);
  expect(bot.health?.()).toBeUndefined();
  expect(lines().match(/cannot be reached/g)).toHaveLength(1);
  const [, second] = await asked;
  discord.fail({ path: /gateway-socket/, connection: "reset" });
  await start(second);
  expect(discord.online()).toBe(1);
});

test.concurrent("nobody waits for partitions any more once it is stopped", async (context) => {
  const discord = await open(context);
  const { bot } = create(context, discord);
  discord.fail({ path: /gateway\/bot/, connection: "hang" });
  const asked = bot.cluster?.partitions?.();
  const started = bot.start(async () => {}, menu);
  await until(() => discord.calls.length > 0);
  await bot.stop();
  expect(await asked).toEqual([]);
  await started;
  expect(discord.online()).toBe(0);
});

test.concurrent("a token that Discord refuses is an error for the operator, also of partitions", async (context) => {
  const discord = await open(context);
  const { bot, partitions, start } = create(context, discord);
  const [first] = await partitions();
  discord.refuseToken(true);
  await bot.stop();
  for (const error of [await failure(partitions()), await failure(start(first)), await failure(start())]) {
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.code).toBe("discord_token");
    expect(error.message).not.toContain(discord.token);
  }
});

test.concurrent("a refused shard ends a start of them all", async (context) => {
  const discord = await open(context, { ...TWO, allowedIntents: 0 });
  const { bot, start } = create(context, discord);
  expect((await failure(start())).code).toBe("discord_intents");
  expect(discord.online()).toBe(0);
  expect(bot.health?.()).toBe("Discord is stopped.");
});

test.concurrent.for([
  "discord:1:2/2",
  "discord:1:0/0",
  "discord:2:0/1",
  "telegram:1:0/1",
  "discord:1:00/1",
  "",
])("%j is no partition of bot 1", (partition) => {
  expect(() => shardOf("1", partition)).toThrow("no partition");
  expect(shardOf("1", partitionOf("1", { index: 1, count: 3 }))).toEqual({ index: 1, count: 3 });
});

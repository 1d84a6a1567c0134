import { Agent } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { createDingtalk } from "../../../adapters/dingtalk/index.ts";
import { pauseAfter } from "../../../adapters/dingtalk/receive/health.ts";
import { ConfigError } from "../../../src/errors.ts";
import type { ChatEvent } from "../../../src/event.ts";
import { failure } from "../../support/failure.ts";
import { until } from "../../../src/testing/until.ts";
import { meet, names, setUp } from "./set-up.ts";

test("a message is acknowledged once it is stored, and not before", async () => {
  const stored: (() => void)[] = [];
  const receive = () => new Promise<void>((resolve) => stored.push(resolve));
  const { dingtalk } = await setUp({ receive });
  dingtalk.say("ann", "hello");
  await until(() => stored.length === 1);
  expect(dingtalk.stream.pending).toBe(1);
  stored[0]?.();
  await until(() => dingtalk.stream.pending === 0);
});

test("what could not be stored comes again, as the same event", async () => {
  const ids: string[] = [];
  const receive = async ({ id }: ChatEvent) => {
    ids.push(id);
    if (ids.length < 3) throw new Error("the disk is full");
  };
  const { dingtalk, lines } = await setUp({ receive, simulator: { redeliverMs: 10 } });
  const msgId = dingtalk.say("ann", "hello");
  await until(() => dingtalk.stream.pending === 0);
  expect(ids).toEqual(Array.from({ length: 3 }, () => `dingtalk:${dingtalk.clientId}:${msgId}`));
  expect(lines()).toContain("the disk is full");
});

test("system pings are answered", async () => {
  const { dingtalk } = await setUp();
  dingtalk.stream.ping();
  await until(() => dingtalk.stream.pongs === 1);
});

test("each connection has a ticket of its own, and one attempt follows another: no storm", async () => {
  const { dingtalk, bot, start } = await meet();
  dingtalk.fail({ call: "connect", times: 3, how: { status: 503 } });
  dingtalk.fail({ call: "connect", times: 3, how: "reset" });
  dingtalk.fail({ call: "open", times: 2, how: "html" });
  const starting = start();
  await until(() => bot.health?.());
  expect(bot.health?.()).toMatch(/DingTalk did not answer the request to open a stream connection/);
  await starting;
  const opened = ["open", "connect"];
  expect(names(dingtalk)).toEqual(["open", "open", ...Array.from({ length: 7 }, () => opened).flat()]);
  expect(bot.health?.()).toBeUndefined();
  expect(dingtalk.stream.connections).toBe(1);
});

test("connections that are cut again and again do not make more of them", async () => {
  const { dingtalk, next } = await setUp();
  for (let cuts = 1; cuts <= 5; cuts += 1) {
    dingtalk.stream.drop();
    await until(() => dingtalk.stream.opened === cuts + 1 && dingtalk.stream.connections === 1);
  }
  expect(names(dingtalk).length).toBe(12);
  dingtalk.say("ann", "still there?");
  expect(await next()).toMatchObject({ text: "still there?" });
});

test("the pauses grow, but not for ever, and are not the same in all processes", () => {
  const pauses = Array.from({ length: 200 }, () => pauseAfter(undefined, 1, 1000));
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(750);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(1250);
  expect(new Set(pauses).size).toBeGreaterThan(100);
  expect(pauseAfter(undefined, 4, 1000)).toBeGreaterThanOrEqual(6000);
  expect(pauseAfter(undefined, 5000, 1000)).toBeLessThanOrEqual(37_500);
});

test("a connection on which nothing is heard any more is given up", async () => {
  const { dingtalk, lines, next } = await setUp({ robot: { keepAliveMs: 40 } });
  dingtalk.stream.mute();
  dingtalk.say("ann", "is this thing on?");
  expect(await next()).toMatchObject({ text: "is this thing on?" });
  expect(lines()).toContain("the stream connection was dead");
  expect(dingtalk.stream.opened).toBeGreaterThan(1);
});

test("a quiet connection that answers pings is kept", async () => {
  const { dingtalk, bot, next } = await setUp({ robot: { keepAliveMs: 20 } });
  await until(() => dingtalk.stream.heartbeats >= 5);
  expect(dingtalk.stream.opened).toBe(1);
  dingtalk.say("ann", "hello");
  expect(await next()).toMatchObject({ text: "hello" });
  expect(bot.health?.()).toBeUndefined();
});

test("before DingTalk closes a connection another one is open, and nothing is a trouble", async () => {
  const stored: (() => void)[] = [];
  const receive = () => new Promise<void>((resolve) => stored.push(resolve));
  const { dingtalk, bot, lines } = await setUp({ receive });
  dingtalk.say("ann", "one");
  await until(() => stored.length === 1);
  dingtalk.stream.disconnect(60_000);
  await until(() => dingtalk.stream.opened === 2);
  expect(dingtalk.stream.connections).toBe(2);
  // What came by the old one is acknowledged by the old one.
  stored[0]?.();
  await until(() => dingtalk.stream.pending === 0);
  expect(bot.health?.()).toBeUndefined();
  expect(lines()).not.toContain("trying again");
});

test("wrong credentials end the start, and say whose they are", async () => {
  const { dingtalk, bot, start } = await meet({ robot: { clientSecret: "another-secret-entirely" } });
  const error = await failure(start());
  expect(error).toBeInstanceOf(ConfigError);
  expect(String(error)).toMatch(/DINGTALK_CLIENT_ID and DINGTALK_CLIENT_SECRET/);
  expect(String(error)).not.toContain("another-secret-entirely");
  expect(names(dingtalk)).toEqual(["open"]);
  await bot.stop();
});

test("what is no message is skipped and acknowledged, and the next is taken", async () => {
  const { dingtalk, lines, next } = await setUp();
  const frame = (data: string) => ({
    type: "CALLBACK",
    headers: { topic: "/v1.0/im/bot/messages/get", messageId: "odd" },
    data,
  });
  for (const odd of [
    "{",
    "null",
    "[]",
    '{"type":5}',
    JSON.stringify(frame("{")),
    JSON.stringify(frame('{"msgId":1}')),
  ])
    dingtalk.stream.send(odd);
  dingtalk.message("ann", { msgtype: "text", text: { content: "fine" }, conversationType: "3" });
  dingtalk.say("ann", "fine");
  expect(await next()).toMatchObject({ text: "fine" });
  await until(() => dingtalk.stream.pending === 0);
  expect(lines().match(/invalid message/g)).toHaveLength(3);
});

test("stopping waits for what is being stored, and takes nothing more", async () => {
  const stored: (() => void)[] = [];
  const receive = () => new Promise<void>((resolve) => stored.push(resolve));
  const { dingtalk, bot } = await setUp({ receive });
  dingtalk.say("ann", "one");
  await until(() => stored.length === 1);
  const stopping = bot.stop();
  stored[0]?.();
  await stopping;
  await until(() => dingtalk.stream.connections === 0);
  expect(dingtalk.stream.pending).toBe(0);
  dingtalk.say("ann", "two");
  expect([stored.length, dingtalk.stream.pending]).toEqual([1, 1]);
});

test("it can be stopped while DingTalk is away, and started again", async () => {
  const { dingtalk, bot, start, next } = await meet();
  const back = dingtalk.fail({ call: "open", times: 1000, how: "hang" });
  const starting = start();
  await until(() => dingtalk.calls.length === 1);
  await bot.stop();
  await starting;
  back();
  await start();
  dingtalk.say("ann", "hello again");
  expect(await next()).toMatchObject({ text: "hello again" });
});

test("several processes share what comes in", async () => {
  const { dingtalk, events } = await setUp();
  const { clientId, clientSecret, apiRoot } = dingtalk;
  const others: ChatEvent[] = [];
  const other = createDingtalk({ clientId, clientSecret, apiRoot });
  onTestFinished(() => other.stop());
  await other.start(async (event) => void others.push(event), []);
  for (let n = 0; n < 6; n += 1) dingtalk.say("ann", `message ${n}`);
  await until(() => events.length + others.length === 6);
  expect([events.length, others.length]).toEqual([3, 3]);
  // Stream connections may be many: there is nothing to be shared out.
  expect(other.cluster).toBeUndefined();
});

test("a connection is made through the agent that a proxy gives for its address", async () => {
  const asked: string[] = [];
  const agent = new Agent();
  onTestFinished(() => agent.destroy());
  const agentFor = (url: string) => {
    asked.push(url);
    return agent;
  };
  const made: unknown[] = [];
  agent.createConnection = (...args) => {
    made.push(args);
    return Agent.prototype.createConnection.apply(agent, args);
  };
  const { dingtalk, next } = await setUp({ robot: { agentFor } });
  expect(asked).toEqual([expect.stringMatching(/^ws:\/\/127\.0\.0\.1:\d+\/connect\?ticket=/)]);
  expect(made).toHaveLength(1);
  dingtalk.say("ann", "hello");
  expect(await next()).toMatchObject({ text: "hello" });
});

test("neither the secret nor a ticket or a session is in the log", async () => {
  const { dingtalk, lines, start } = await meet({ simulator: { redeliverMs: 10 } });
  dingtalk.fail({ call: "open", how: "reset" });
  dingtalk.fail({ call: "connect", how: { status: 401 } });
  dingtalk.fail({ call: "connect", how: "reset" });
  await start();
  dingtalk.stream.drop();
  await until(() => dingtalk.stream.opened === 2);
  expect(lines()).toMatch(/trying again/);
  expect(lines()).not.toMatch(/ticket|session=/);
  expect(lines()).not.toContain(dingtalk.clientSecret);
});

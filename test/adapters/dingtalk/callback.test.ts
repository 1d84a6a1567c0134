import { expect, onTestFinished, test } from "vitest";
import { signOf } from "../../../adapters/dingtalk/simulator/courier.ts";
import { ConfigError } from "../../../src/errors.ts";
import { startServer } from "../../../src/program/server.ts";
import { failure } from "../../support/failure.ts";
import { until } from "../../../src/testing/until.ts";
import { meet, names, page, type SetUp } from "./set-up.ts";

/** A robot that receives by HTTP at a real port. */
async function setUpCallback(options: SetUp = {}) {
  const world = await meet({ ...options, robot: { callback: true, ...options.robot } });
  const { dingtalk, bot } = world;
  const server = await startServer({ host: "127.0.0.1", port: 0, adapters: [bot], health: () => ({}) });
  onTestFinished(() => server.close());
  const url = `${server.url}/webhooks/dingtalk`;
  const { statuses } = dingtalk.callBack(url);
  const sign = (at: number, secret = dingtalk.clientSecret) => ({
    timestamp: String(at),
    sign: signOf(String(at), secret),
  });
  const post = async (body: string, headers: Record<string, string> = sign(Date.now())) =>
    (await fetch(url, { method: "POST", body, headers })).status;
  return { ...world, url, statuses, sign, post };
}

test("a message is answered with 200 once it is stored", async () => {
  const stored: (() => void)[] = [];
  const receive = () => new Promise<void>((resolve) => stored.push(resolve));
  const { dingtalk, start, statuses } = await setUpCallback({ receive });
  await start();
  dingtalk.say("ann", "hello");
  await until(() => stored.length === 1);
  expect(statuses).toEqual([]);
  stored[0]?.();
  await until(() => statuses.length === 1);
  expect(statuses).toEqual([200]);
  expect(names(dingtalk)).toEqual(["token"]);
});

test("it can be answered like any other", async () => {
  const { dingtalk, bot, start, next } = await setUpCallback();
  await start();
  dingtalk.say("ann", "hello", { chat: "team" });
  await bot.send((await next()).to, page("hi"), "k#0");
  expect(dingtalk.shows("team")).toEqual(["hi"]);
});

test("what could not be stored is answered with 503, and so is everything while it is not started", async () => {
  const receive = () => Promise.reject(new Error("the disk is full"));
  const { dingtalk, bot, start, statuses } = await setUpCallback({ receive });
  dingtalk.say("ann", "too early");
  await until(() => statuses.length === 1);
  await start();
  dingtalk.say("ann", "hello");
  await until(() => statuses.length === 2);
  await bot.stop();
  dingtalk.say("ann", "too late");
  await until(() => statuses.length === 3);
  expect(statuses).toEqual([503, 503, 503]);
  expect(dingtalk.shows("ann")).toEqual([expect.stringContaining("Please send it again")]);
});

test("without DingTalk's signature, or with an old one, nothing is taken", async () => {
  const { start, events, sign, post, url } = await setUpCallback();
  await start();
  const now = Date.now();
  const right = sign(now);
  const hour = 3_600_000;
  const wrong = [
    {},
    { ...right, sign: "" },
    { ...right, sign: "x" },
    { ...right, timestamp: String(now + 1) },
    { timestamp: right.timestamp },
    { sign: right.sign },
    sign(now, "another secret"),
    sign(now - hour - 60_000),
    sign(now + hour + 60_000),
    { ...right, timestamp: `${now}x` },
    sign(Number.NaN),
  ];
  for (const headers of wrong) expect(await post("{}", headers as Record<string, string>)).toBe(401);
  expect((await fetch(url)).status).toBe(405);
  expect(events).toEqual([]);
});

test("a request that comes once more is the same event", async () => {
  const { start, events, post, sign, dingtalk } = await setUpCallback();
  await start();
  const fields = { msgId: "m1", msgtype: "text", conversationId: "c", conversationType: "1", senderId: "s" };
  const body = JSON.stringify({ ...fields, text: { content: "hi" }, sessionWebhook: "http://evil.example/" });
  const headers = sign(Date.now() - 60_000);
  expect([await post(body, headers), await post(body, headers)]).toEqual([200, 200]);
  expect(events.map(({ id }) => id)).toEqual(
    Array.from({ length: 2 }, () => `dingtalk:${dingtalk.clientId}:m1`),
  );
  // The signature says nothing of the body: an answer does not go where a stranger wants it.
  expect(events[0]?.to["webhook"]).toBeUndefined();
});

test("what is no message is refused, or skipped", async () => {
  const { start, events, post, lines } = await setUpCallback();
  await start();
  expect(await post("{")).toBe(400);
  expect(await post("x".repeat(2_000_000))).toBe(413);
  expect(await post('{"msgId":5}')).toBe(200);
  expect(lines()).toContain("invalid message");
  expect(events).toEqual([]);
});

test("wrong credentials end the start", async () => {
  const { start } = await setUpCallback({ robot: { clientSecret: "another-secret-entirely" } });
  const error = await failure(start());
  expect(error).toBeInstanceOf(ConfigError);
  expect(String(error)).not.toContain("another-secret-entirely");
});

test("it waits for DingTalk, and says so", async () => {
  const { dingtalk, bot, start } = await setUpCallback();
  dingtalk.fail({ call: "token", times: 3, how: "reset" });
  const starting = start();
  await until(() => bot.health?.());
  await starting;
  expect(bot.health?.()).toBeUndefined();
});

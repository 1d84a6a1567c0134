import { createDingtalkDialect } from "../../../adapters/dingtalk/dialect/dialect.ts";
import { describe, expect, test } from "vitest";
import { readAddress } from "../../../adapters/dingtalk/send/address.ts";
import { createApi } from "../../../adapters/dingtalk/api.ts";
import type { Fault } from "../../../adapters/dingtalk/simulator/faults.ts";
import { PlatformError } from "../../../src/errors.ts";
import { parseMarkdown } from "../../../src/text/parse/markdown.ts";
import { createPager } from "../../../src/text/paginate/paginate.ts";
import { failure } from "../../support/failure.ts";
import { names, page, setUp, type SetUp } from "./set-up.ts";

/** A robot that has been written to. */
async function asked(options: SetUp = {}, chat?: string) {
  const world = await setUp(options);
  world.dingtalk.say("ann", "hello", chat === undefined ? {} : { chat });
  const { to } = await world.next();
  return { ...world, to };
}

async function refusal(sending: Promise<string>): Promise<PlatformError> {
  const error = await failure(sending);
  expect(error).toBeInstanceOf(PlatformError);
  return error as PlatformError;
}

const sends = (all: string[]) => all.filter((name) => !["open", "connect"].includes(name));

test("an answer goes by the session webhook, which needs no token", async () => {
  const { dingtalk, bot, to } = await asked();
  await bot.send(to, page("**hello**"), "k#0");
  expect(dingtalk.screen("ann").at(-1)).toEqual({ from: "bot", title: "title", text: "**hello**" });
  expect(sends(names(dingtalk))).toEqual(["webhook"]);
});

test("nobody is mentioned, whatever the text says", async () => {
  const { dingtalk, bot, to } = await asked({}, "team");
  await bot.send(to, page("@all"), "k#0");
  expect(dingtalk.calls.at(-1)?.payload).toEqual({
    msgtype: "markdown",
    markdown: { title: "title", text: "@all" },
  });
});

test("after its time the robot API is the way, to a person and to a group", async () => {
  const { dingtalk, bot, to } = await asked({ simulator: { sessionMs: 0 } });
  await bot.send(to, page("one"), "k#0");
  await bot.send(to, page("two"), "k#1");
  expect(dingtalk.shows("ann")).toEqual(["one", "two"]);
  dingtalk.say("ann", "hello", { chat: "team" });
  const group = await asked({ simulator: { sessionMs: 0 } }, "team");
  await group.bot.send(group.to, page("three"), "k#0");
  expect(group.dingtalk.shows("team")).toEqual(["three"]);
  // One token for all.
  expect(sends(names(dingtalk))).toEqual(["token", "person", "person"]);
  expect(sends(names(group.dingtalk))).toEqual(["token", "group"]);
});

test("a session that has ended before its time is no failure", async () => {
  const { dingtalk, bot, to } = await asked();
  dingtalk.expire("sessions");
  await bot.send(to, page("one"), "k#0");
  expect(dingtalk.shows("ann")).toEqual(["one"]);
  expect(sends(names(dingtalk))).toEqual(["webhook", "token", "person"]);
});

test("a token is made anew when it is near its end, and when it is refused", async () => {
  const short = await asked({ simulator: { sessionMs: 0, tokenSeconds: 200 } });
  await short.bot.send(short.to, page("one"), "k#0");
  await short.bot.send(short.to, page("two"), "k#1");
  expect(sends(names(short.dingtalk))).toEqual(["token", "person", "token", "person"]);
  const { dingtalk, bot, to } = await asked({ simulator: { sessionMs: 0 } });
  await bot.send(to, page("one"), "k#0");
  dingtalk.expire("tokens");
  await bot.send(to, page("two"), "k#1");
  expect(sends(names(dingtalk))).toEqual(["token", "person", "person", "token", "person"]);
  expect(dingtalk.shows("ann")).toEqual(["one", "two"]);
});

test("those who send at the same time share one token", async () => {
  const { dingtalk, bot, to } = await asked({ simulator: { sessionMs: 0 } });
  await Promise.all(["a", "b", "c"].map((text) => bot.send(to, page(text), text)));
  expect(sends(names(dingtalk)).filter((name) => name === "token")).toHaveLength(1);
});

describe("a refusal", () => {
  const answers: readonly (readonly [object, Partial<PlatformError>])[] = [
    [{ errcode: 130_101, errmsg: "send too fast, exceed 20 times per minute" }, { retryAfterMs: 60_000 }],
    [{ errcode: 410_100, errmsg: "发送速度太快而限流" }, { retryAfterMs: 60_000 }],
    [
      { errcode: -1, errmsg: "系统繁忙" },
      { retryAfterMs: 1000, permanent: false },
    ],
    [{ errcode: 400_013, errmsg: "群已被解散" }, { permanent: true }],
    [{ errcode: 460_101, errmsg: "message too long, exceed 20000 bytes" }, { permanent: true }],
    [{ errcode: 12_345 }, { permanent: true }],
  ];
  test.each(answers)("by the webhook, in an answer of status 200: %j", async (body, expected) => {
    const { dingtalk, bot, to } = await asked();
    dingtalk.fail({ call: "webhook", how: { status: 200, body } });
    expect(await refusal(bot.send(to, page("x"), "k#0"))).toMatchObject({ refused: true, ...expected });
    expect(dingtalk.shows("ann")).toEqual([]);
  });

  test.each([
    [403, { code: "Forbidden.AccessDenied.QpsLimitForApi", message: "QPS" }, { retryAfterMs: 1000 }],
    [429, {}, { retryAfterMs: 1000 }],
    [403, { code: "Forbidden.AccessDenied.AccessTokenPermissionDenied", message: "m" }, { permanent: true }],
    [400, { code: "invalidParameter", message: "robotCode" }, { permanent: true }],
    [500, { code: "unknownError", message: "未知错误" }, { refused: false }],
    [502, {}, { refused: false }],
  ])("by the robot API: %i %j", async (status, body, expected) => {
    const { dingtalk, bot, to } = await asked({ simulator: { sessionMs: 0 } });
    dingtalk.fail({ call: "person", how: { status, body } });
    expect(await refusal(bot.send(to, page("x"), "k#0"))).toMatchObject(expected);
  });

  test("of people, in an answer of status 200", async () => {
    const { dingtalk, bot, to } = await asked({ simulator: { sessionMs: 0 } });
    expect(await refusal(bot.send({ ...to, staff: "nobody" }, page("x"), "k#0"))).toMatchObject({
      permanent: true,
    });
    const { staff = null, ...stranger } = to;
    expect(await refusal(bot.send(stranger, page("x"), "k#0"))).toMatchObject({ permanent: true });
    const flow = { processQueryKey: "k", invalidStaffIdList: [], flowControlledStaffIdList: [staff] };
    dingtalk.fail({ call: "person", how: { status: 200, body: flow } });
    expect(await refusal(bot.send(to, page("x"), "k#0"))).toMatchObject({ retryAfterMs: 60_000 });
  });

  test("of an address of another platform", async () => {
    const { bot } = await setUp();
    expect(await refusal(bot.send({ chat: 5 }, page("x"), "k#0"))).toMatchObject({ permanent: true });
  });

  test("of the credentials is passing: they may be renewed", async () => {
    const { dingtalk, bot, to } = await asked({ simulator: { sessionMs: 0 } });
    const body = { code: "invalidClientIdOrSecret", message: "m" };
    dingtalk.fail({ call: "token", how: { status: 400, body } });
    expect(await refusal(bot.send(to, page("x"), "k#0"))).toMatchObject({ permanent: false });
    await bot.send(to, page("y"), "k#0");
    expect(dingtalk.shows("ann")).toEqual(["y"]);
  });
});

test.each<[Fault["how"], number]>([
  ["reset", 0],
  ["html", 0],
  ["after", 1],
])("without an answer (%s) the outcome is unknown", async (how, shown) => {
  const { dingtalk, bot, to } = await asked();
  dingtalk.fail({ call: "webhook", how });
  expect(await refusal(bot.send(to, page("x"), "k#0"))).toMatchObject({ refused: false });
  expect(dingtalk.shows("ann")).toHaveLength(shown);
});

test("21 messages in a minute are one too many, by whichever way", async () => {
  const { dingtalk, bot, to } = await asked({ simulator: { limits: true } });
  for (let n = 0; n < 20; n += 1) await bot.send(to, page(`${n}`), `k#${n}`);
  expect(await refusal(bot.send(to, page("x"), "k#20"))).toMatchObject({ retryAfterMs: 60_000 });
  dingtalk.expire("sessions");
  expect(await refusal(bot.send(to, page("x"), "k#20"))).toMatchObject({ retryAfterMs: 60_000 });
  expect(dingtalk.shows("ann")).toHaveLength(20);
  // What the delivery makes of the pace: five at once and then one each four seconds.
  const { overall = 0 } = bot.pace;
  expect(5 + 60_000 / overall).toBeLessThanOrEqual(20);
});

test("whole pages of any text are taken both ways", async () => {
  const markdown = '多字节的文字 \\ " & <b>\n\n- 一\n'.repeat(1500);
  // Before there are connections: on a slow machine this takes as long as an idle one is kept.
  const pages = createPager(createDingtalkDialect()).pages(markdown, true);
  const { dingtalk, bot, to } = await asked();
  expect(pages.length).toBeGreaterThan(2);
  for (const [index, body] of pages.entries()) await bot.send(to, body, `k#${index}`);
  dingtalk.expire("sessions");
  for (const [index, body] of pages.entries()) await bot.send(to, body, `l#${index}`);
  expect(dingtalk.shows("ann")).toHaveLength(2 * pages.length);
  expect(bot.dialect.fits(bot.dialect.print(parseMarkdown("x")))).toBe(true);
});

test("errors hold no session, secret or text", async () => {
  const { dingtalk, bot, to } = await asked();
  const { webhook = "" } = readAddress(to);
  const { port } = new URL(webhook);
  const broken = { ...to, webhook: webhook.replace(port, "1") };
  dingtalk.fail({
    call: "webhook",
    how: { status: 200, body: { errcode: 9, errmsg: `no ${webhook} "secret words"` } },
  });
  const errors = [
    await refusal(bot.send(to, page("secret words"), "k#0")),
    await refusal(bot.send(broken, page("secret words"), "k#0")),
    await refusal(bot.send({ ...to, webhook: "not a url" }, page("secret words"), "k#0")),
  ];
  for (const error of errors) {
    expect(JSON.stringify([error.message, error.stack])).not.toMatch(/session=|secret words|not a url/);
    expect(error.cause).toBeUndefined();
  }
});

test("a webhook is followed only to DingTalk itself", () => {
  const { isOwn } = createApi({ clientId: "a", clientSecret: "b", apiRoot: "http://127.0.0.1:1/" });
  const own = ["https://oapi.dingtalk.com/robot/x", "https://dingtalk.com/", "http://127.0.0.1:1/robot"];
  const others = [
    "http://oapi.dingtalk.com/",
    "https://dingtalk.com.evil.example/",
    "https://evildingtalk.com/",
  ];
  expect([...own, ...others, "http://127.0.0.1:2/", "", "file:///etc"].filter(isOwn)).toEqual(own);
});

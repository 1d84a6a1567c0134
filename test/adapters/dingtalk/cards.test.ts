import { expect, test } from "vitest";
import { failure } from "../../support/failure.ts";
import { until } from "../../../src/testing/until.ts";
import { names, openBot, page, setUp } from "./set-up.ts";

const cardTemplate = { id: "a.schema", field: "content" };
const pace = { direct: 5, group: 5 };
const withCards = { simulator: { cardTemplate }, robot: { cardTemplate, pace } };

test("an answer grows in a card, which is closed when it is whole", async () => {
  const { dingtalk, hand } = await openBot(withCards);
  for (const [chat, asked] of [[undefined, 1] as const, ["team", 2] as const]) {
    dingtalk.say("ann", "tell me", chat === undefined ? {} : { chat });
    const place = chat ?? "ann";
    await until(() => hand.asked.length === asked);
    hand.say("one ");
    await until(() => dingtalk.shows(place).at(-1) === "one");
    expect(dingtalk.screen(place).at(-1)).toMatchObject({ isGrowing: true });
    hand.say("two");
    await until(() => dingtalk.shows(place).at(-1) === "one two");
    hand.end();
    await until(() => dingtalk.screen(place).at(-1)?.isGrowing === false);
    expect(dingtalk.shows(place)).toEqual(["one two"]);
  }
});

test("a template that DingTalk does not take makes messages of all answers, beginning with the first", async () => {
  const { dingtalk, hand, lines, bot } = await openBot({ robot: { cardTemplate, pace } });
  for (const asked of [1, 2]) {
    dingtalk.say("ann", "tell me");
    await until(() => hand.asked.length === asked);
    hand.say("one two");
    hand.end();
    await until(() => dingtalk.shows("ann").length === asked);
  }
  expect(dingtalk.shows("ann")).toEqual(["one two", "one two"]);
  expect(names(dingtalk).filter((name) => name === "card")).toHaveLength(1);
  expect(lines()).toContain("DINGTALK_CARD_TEMPLATE");
  expect([bot.edit, bot.recovery, bot.finish]).toEqual([undefined, undefined, undefined]);
});

test("a card of unknown outcome is found again, or there is none", async () => {
  const { dingtalk, bot, next } = await setUp(withCards);
  dingtalk.say("ann", "hello");
  const { to } = await next();
  expect(await bot.recovery?.find?.(to, page("x"), [], "k#0")).toBeUndefined();
  dingtalk.fail({ call: "card", how: "after" });
  expect(await failure(bot.send(to, page("first"), "k#0"))).toMatchObject({ refused: false });
  const ref = await bot.recovery?.find?.(to, page("second"), [], "k#0");
  expect(ref).toMatch(/^card-/);
  expect(dingtalk.shows("ann")).toEqual(["second"]);
  dingtalk.fail({ call: "streaming", how: "reset" });
  expect(await failure(Promise.resolve(bot.recovery?.find?.(to, page("x"), [], "k#0")))).toMatchObject({
    refused: false,
  });
});

test("a closed card is gone for changes; closing it again is no error", async () => {
  const { dingtalk, bot, next } = await setUp(withCards);
  dingtalk.say("ann", "hello");
  const { to } = await next();
  const ref = await bot.send(to, page("text"), "k#0");
  await bot.finish?.(to, [{ ref, body: page("text") }]);
  await bot.finish?.(to, [{ ref, body: page("text") }]);
  expect(await failure(Promise.resolve(bot.edit?.(to, ref, page("more"))))).toMatchObject({ gone: true });
  dingtalk.fail({ call: "streaming", how: { status: 500, body: { code: "unknownError" } } });
  await bot.finish?.(to, [{ ref, body: page("text") }]);
  expect(dingtalk.screen("ann").at(-1)).toMatchObject({ text: "text", isGrowing: false });
});

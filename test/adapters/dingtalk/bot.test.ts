import { expect, test } from "vitest";
import { until } from "../../../src/testing/until.ts";
import { openBot } from "./set-up.ts";

const pace = { direct: 5, group: 5 };

test("without a template nothing is shown before the answer is whole", async () => {
  const { dingtalk, hand } = await openBot({ robot: { pace } });
  dingtalk.say("ann", "tell me");
  await until(() => hand.asked.length === 1);
  hand.say("word ".repeat(10_000));
  hand.say("END");
  expect(dingtalk.shows("ann")).toEqual([]);
  hand.end();
  await until(() => dingtalk.shows("ann").join(" ").endsWith("END"));
  expect(dingtalk.shows("ann")).toHaveLength(4);
});

test("a message that comes again, by whichever connection, is answered once", async () => {
  const { dingtalk, hand } = await openBot({ robot: { pace } });
  const question = { msgtype: "text", text: { content: "tell me" }, msgId: "the-same" };
  for (const opened of [2, 3, 4]) {
    dingtalk.message("ann", question);
    await until(() => dingtalk.stream.pending === 0);
    dingtalk.stream.drop();
    await until(() => dingtalk.stream.opened === opened);
  }
  dingtalk.say("bob", "and me?");
  await until(() => hand.asked.length === 2);
  hand.say("once");
  hand.end();
  await until(() => dingtalk.shows("bob").length === 1);
  expect(hand.asked).toEqual(["tell me", "and me?"]);
});

test("what is said in a group is not quoted in private, nor the other way round", async () => {
  const { dingtalk, hand } = await openBot({ robot: { pace } });
  for (const [asked, chat] of [[1], [2, "team"]] as const) {
    dingtalk.say("ann", `question ${asked}`, chat === undefined ? {} : { chat });
    await until(() => hand.asked.length === asked);
    hand.say(`answer ${asked}`);
    hand.end();
    await until(() => dingtalk.shows(chat ?? "ann").length === 1);
  }
  expect([dingtalk.shows("ann"), dingtalk.shows("team")]).toEqual([["answer 1"], ["answer 2"]]);
});

test("commands are known, and answered in the language in which was asked", async () => {
  const { dingtalk } = await openBot({ robot: { pace } });
  dingtalk.say("ann", "/help");
  await until(() => dingtalk.shows("ann").length === 1);
  expect(dingtalk.shows("ann")[0]).toContain("/reset");
  dingtalk.message("ann", { msgtype: "picture", content: { downloadCode: "x" } });
  await until(() => dingtalk.shows("ann").length === 2);
});

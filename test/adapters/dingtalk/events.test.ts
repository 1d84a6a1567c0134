import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ZodError } from "zod";
import { toEvent } from "../../../adapters/dingtalk/receive/events.ts";
import type { ChatEvent } from "../../../src/event.ts";
import { setUp } from "./set-up.ts";
import { runs } from "../../support/runs.ts";

test("a one-to-one message says who, where and what, and how to answer", async () => {
  const { dingtalk, next } = await setUp();
  const msgId = dingtalk.say("ann", "  why is rain? ");
  const staff = dingtalk.staffId("ann");
  const event = await next();
  expect(event).toMatchObject({
    id: `dingtalk:${dingtalk.clientId}:${msgId}`,
    user: { id: staff, name: "ann" },
    chat: { kind: "direct" },
    to: { group: false, robot: dingtalk.clientId, staff },
    text: "why is rain?",
  });
  expect(event.user.locale).toBeUndefined();
  expect(event.to["webhook"]).toContain("/robot/sendBySession?session=");
  expect(Number(event.to["until"])).toBeGreaterThan(Date.now());
});

test("in a group a command stands behind the robot's name", async () => {
  const { dingtalk, next } = await setUp();
  dingtalk.say("ann", "/reset", { chat: "team" });
  expect(await next()).toMatchObject({ command: "reset", text: "", chat: { kind: "group" } });
  dingtalk.say("ann", "/ask why?", { chat: "team" });
  expect(await next()).toMatchObject({ command: "ask", text: "why?" });
});

test.each([
  ["a picture", { msgtype: "picture", content: { downloadCode: "x" } }, "", ["image"]],
  ["a file", { msgtype: "file", content: { downloadCode: "x", fileName: "a.pdf" } }, "", ["file"]],
  ["a video", { msgtype: "video", content: { downloadCode: "x", duration: 5 } }, "", ["video"]],
  [
    "voice with the words heard",
    { msgtype: "audio", content: { recognition: "what time is it", duration: 4000, downloadCode: "x" } },
    "what time is it",
    ["voice"],
  ],
  [
    "rich text",
    {
      msgtype: "richText",
      content: { richText: [{ text: "look:\n" }, { type: "picture", downloadCode: "x" }, { text: "nice" }] },
    },
    "look:\nnice",
    ["image"],
  ],
  ["something new", { msgtype: "hologram", content: [1] }, "", ["hologram"]],
])("%s", async (_, fields, text, kinds) => {
  const { dingtalk, next } = await setUp();
  dingtalk.message("ann", fields);
  const event = await next();
  expect(event.text).toBe(text);
  expect(event.attachments?.map(({ kind }) => kind)).toEqual(kinds);
  expect(JSON.stringify(event.attachments)).not.toContain("downloadCode");
});

describe("of a message", () => {
  const message = {
    msgId: "m1",
    msgtype: "text",
    conversationId: "c1",
    conversationType: "1",
    senderId: "s1",
    text: { content: "hi" },
    sessionWebhook: "https://oapi.dingtalk.com/robot/sendBySession?session=x",
    sessionWebhookExpiredTime: 5,
  };
  const receiver = { clientId: "app", isOwn: (webhook: string) => webhook.includes("dingtalk.com") };

  test("the sender's id stands for a person of another organisation", () => {
    const event = toEvent(message, receiver);
    expect(event).toMatchObject({ user: { id: "s1" }, to: { conversation: "c1", robot: "app" } });
    expect(event?.to["staff"]).toBeUndefined();
  });

  test("a webhook that leads elsewhere is left out", () => {
    const event = toEvent({ ...message, sessionWebhook: "http://evil.example/" }, receiver);
    expect(event?.to["webhook"]).toBeUndefined();
  });

  test("what does not mention the robot in a group is not for it", () => {
    const group = { ...message, conversationType: "2" };
    expect(toEvent({ ...group, isInAtList: false }, receiver)).toBeUndefined();
    expect(toEvent({ ...group, isInAtList: true }, receiver)).toMatchObject({ chat: { kind: "group" } });
  });

  test("whatever it holds, it is plain data or refused as no message", () => {
    const odd = fc.dictionary(
      fc.constantFrom(...Object.keys(message), "content", "robotCode"),
      fc.jsonValue(),
    );
    let taken = 0;
    fc.assert(
      fc.property(odd, (fields) => {
        const event = parsed({ ...message, ...fields });
        if (event) expect(JSON.parse(JSON.stringify(event))).toEqual(event);
        taken += event ? 1 : 0;
      }),
      { numRuns: runs(175), examples: [[{ sessionWebhookExpiredTime: -0 }]] },
    );
    expect(taken).toBeGreaterThan(0);

    function parsed(fields: object): ChatEvent | undefined {
      try {
        return toEvent(fields, receiver);
      } catch (error) {
        expect(error).toBeInstanceOf(ZodError);
        return undefined;
      }
    }
  });

  test("fields of another kind than expected are left out, if it can be answered without them", () => {
    const odd = {
      ...message,
      senderNick: 5,
      createAt: "soon",
      robotCode: null,
      sessionWebhookExpiredTime: "x",
    };
    expect(toEvent(odd, receiver)).toMatchObject({ text: "hi", user: { id: "s1" } });
    expect(() => toEvent({ ...message, senderId: 5 }, receiver)).toThrow("senderId");
  });
});

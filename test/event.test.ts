import fc from "fast-check";
import { expect, test } from "vitest";
import { type ChatEvent, conversationKey, parseCommand, partsOfKey } from "../src/event.ts";

test.each([
  ["/reset", { command: "reset", text: "" }],
  ["/Reset", { command: "reset", text: "" }],
  ["/ask why is rain", { command: "ask", text: "why is rain" }],
  ["/ask\nwhy\nis rain", { command: "ask", text: "why\nis rain" }],
  ["/ask@my_bot why", { command: "ask", text: "why" }],
  ["/ask@other_bot why", null],
  ["/usr/bin is what?", null],
  ["1 / 2", null],
  ["hello", null],
])("%j is understood", (text, expected) => {
  expect(parseCommand(text, "My_Bot")).toEqual(expected);
});

test("different people, platforms and groups never share a conversation", () => {
  const id = fc.string({ unit: fc.constantFrom(":", "%", "a", "3", "A"), minLength: 1, maxLength: 4 });
  const maybe = fc.option(id, { nil: undefined });
  const place = fc.record({ platform: id, user: id, group: maybe, thread: maybe });
  fc.assert(
    fc.property(place, place, (one, other) => {
      const same = JSON.stringify(one) === JSON.stringify(other);
      expect(conversationKey(event(one)) === conversationKey(event(other))).toBe(same);
    }),
  );
});

test("a key tells whose conversation it is", () => {
  const id = fc.string({
    unit: fc.constantFrom(":", "%", "a", "0", "D", "\0", "\uD83D", "字"),
    minLength: 1,
  });
  const maybe = fc.option(id, { nil: undefined });
  fc.assert(
    fc.property(id, id, maybe, maybe, (platform, user, group, thread) => {
      const parts = { platform, user, ...(group && { chat: group }), ...(thread && { thread }) };
      expect(partsOfKey(conversationKey(event({ platform, user, group, thread })))).toEqual(parts);
    }),
  );
  expect(partsOfKey("nothing of ours")).toBeUndefined();
});

test("a direct chat is keyed by platform and user alone", () => {
  expect(conversationKey(event({ platform: "telegram", user: "42" }))).toBe("telegram:42");
});

function event({
  platform,
  user,
  group,
  thread,
}: {
  platform: string;
  user: string;
  group?: string | undefined;
  thread?: string | undefined;
}): ChatEvent {
  return {
    id: "1",
    platform,
    user: { id: user },
    chat: {
      ...(group === undefined
        ? { id: user, kind: "direct" as const }
        : { id: group, kind: "group" as const }),
      ...(thread !== undefined && { thread }),
    },
    to: {},
    text: "",
    at: 0,
  };
}

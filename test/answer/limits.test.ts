import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_MESSAGES, type ConversationMessage } from "../../src/conversation/conversation.ts";
import { ModelError } from "../../src/errors.ts";
import { excess, type LimitPolicy } from "../../src/answer/limits.ts";
import { scriptedModel, talk } from "../support/talk.ts";

const policy = fc.constantFrom<LimitPolicy>("drop", "summarise", "reset");

describe("the excess", () => {
  test("is the least number of whole turns that must go", () => {
    fc.assert(
      fc.property(
        fc.record({
          roles: fc.array(fc.constantFrom("user", "assistant"), { maxLength: 30 }),
          messages: fc.option(fc.integer({ min: 3, max: 30 }), { nil: undefined }),
          hours: fc.option(fc.nat(30), { nil: undefined }),
          unfit: fc.nat(10),
          persona: fc.boolean(),
          policy,
        }),
        ({ roles, messages: most, hours, unfit, persona, policy }) => {
          // One message per hour, the last one now.
          const messages: ConversationMessage[] = roles.map((role, index) => ({
            role,
            content: "x",
            at: index - roles.length + 1,
          }));
          const measured = {
            messages,
            hasPersona: persona,
            unfit: Math.min(unfit, messages.length),
            now: 0,
          };
          const gone = excess({ policy, messages: most, ageMs: hours }, measured);
          const kept = messages.slice(gone);
          expect(gone).toBeLessThanOrEqual(messages.length);
          if (gone > 0) expect(kept[0]?.role ?? "user").toBe("user");
          if (policy === "reset" && gone > 0) expect(kept).toEqual([]);
          if (most !== undefined) expect(kept.length + (persona ? 1 : 0)).toBeLessThan(Math.max(most, 2));
          if (policy !== "reset") for (const { at } of kept) expect(-at).toBeLessThanOrEqual(hours ?? 30);
          if (policy !== "reset") expect(gone).toBeGreaterThanOrEqual(measured.unfit);
          // One turn more would exceed a limit.
          const less = messages.slice(0, gone).findLastIndex(({ role }) => role === "user");
          if (policy === "drop" && less >= 0) {
            const more = messages.slice(less);
            const isFull = more.length + (persona ? 1 : 0) >= (most ?? Number.POSITIVE_INFINITY);
            expect(isFull || more.some(({ at }) => -at > (hours ?? 30)) || less < measured.unfit).toBe(true);
          }
        },
      ),
    );
  });

  test("a policy with a notice acts before the record silently loses its oldest messages", () => {
    const messages = Array.from({ length: MAX_MESSAGES }, (_, index) => ({
      role: index % 2 === 0 ? ("user" as const) : ("assistant" as const),
      content: "x",
      at: 0,
    }));
    const measured = { messages, hasPersona: true, unfit: 0, now: 0 };
    expect(excess({ policy: "drop" }, measured)).toBe(0);
    expect(excess({ policy: "summarise" }, measured)).toBe(MAX_MESSAGES / 2);
  });
});

const questions = ["one", "two", "three", "four", "five", "six"];

test("with the reset policy, a conversation of eleven messages, including the persona, starts anew", async () => {
  const model = scriptedModel();
  const printed = await talk(questions, {
    model,
    persona: "You are a test.",
    limits: { messages: 11, policy: "reset" },
  });
  expect(model.sent.map(({ length }) => length)).toEqual([2, 4, 6, 8, 10, 2]);
  expect(printed).toContain(
    "re: five\n\nOur conversation had reached its limit, so I am starting over with this question.",
  );
  expect(printed.match(/reached its limit/g)).toHaveLength(1);
});

test("with the drop policy, the oldest messages are left out without a notice", async () => {
  const model = scriptedModel();
  const printed = await talk(questions, { model, limits: { messages: 5, policy: "drop" } });
  expect(model.sent.at(-1)?.map(({ content }) => content)).toEqual([
    "four",
    "re: four",
    "five",
    "re: five",
    "six",
  ]);
  expect(printed).not.toMatch(/limit|short/);
});

test("a request has at most the configured number of tokens", async () => {
  const model = scriptedModel();
  await talk([...questions, "seven ".repeat(100)], { model, limits: { tokens: 150, policy: "drop" } });
  expect(model.sent.at(-2)).toHaveLength(11);
  expect(model.sent.at(-1)?.length).toBeLessThan(11);
});

describe("with the summarise policy, the older half becomes a summary", () => {
  const summary = `**Ann** asked:\n\n- one\n- two\n${"很长 ".repeat(2000)}`;
  const limits = { messages: 6, policy: "summarise" } as const;

  test("that the user sees and the model receives; its length is bounded and its usage counted", async () => {
    const model = scriptedModel({
      script: (messages) => {
        const question = messages.at(-1)?.content ?? "";
        return { text: question.startsWith("Summarise") ? summary : `re: ${question}` };
      },
    });
    const printed = await talk([...questions, "/usage"], { model, persona: "You are a test.", limits });
    expect(printed).toContain("> Our conversation has become long. A summary of its beginning:");
    expect(printed).toContain("> - one");
    const [, , , asked, next] = model.sent;
    expect(asked?.slice(1).map(({ content }) => content)).toEqual([
      "one",
      "re: one",
      "two",
      "re: two",
      expect.stringMatching(/^Summarise/),
    ]);
    expect(next?.slice(1).map(({ content }) => content)).toEqual(["three", "re: three", "four"]);
    const { content: system = "" } = next?.[0] ?? {};
    expect(system).toMatch(
      /^You are a test\.\n\nWhat was said earlier in this conversation, in short:\n\*\*Ann\*\*/,
    );
    expect(system.length).toBeLessThan(2200);
    // The next summary includes the one before.
    expect(model.sent.filter((sent) => sent.at(-1)?.content.startsWith("Summarise"))[1]?.[0]?.content).toBe(
      system,
    );
    expect(printed).toMatch(/This conversation +\| +6 \| +80 \| +40/);
  });

  test("and is removed without one if the model cannot write it", async () => {
    const model = scriptedModel({
      script: (messages) => {
        const question = messages.at(-1)?.content ?? "";
        if (question.startsWith("Summarise")) throw new ModelError("busy", "busy");
        return { text: `re: ${question}` };
      },
    });
    const printed = await talk(questions, { model, limits });
    expect(printed).toContain("re: six");
    expect(printed).not.toContain("in short");
  });
});

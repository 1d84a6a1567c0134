import { describe, expect, onTestFinished, test } from "vitest";
import { createAnswer } from "../../src/answer/answer.ts";
import { emptyConversation } from "../../src/conversation/conversation.ts";
import { isStream, type Turn } from "../../src/handler.ts";
import { texts } from "../../src/i18n/texts.ts";
import { createOpenAI } from "../../src/model/openai.ts";
import { type Fault, startModelSimulator } from "../../src/testing/openai.ts";
import { captureLog } from "../support/log.ts";

describe("a user who gets no answer is told why", () => {
  const faults: readonly (readonly [Fault, RegExp])[] = [
    [
      { status: 503, times: 5, headers: { "retry-after": "0" } },
      /overloaded.*I tried 5 times within \d+ s\.\)$/,
    ],
    [{ kind: "html", times: 5 }, /not understand.*I tried 5 times within \d+ s\.\)$/],
    [{ kind: "reset", times: 5 }, /cannot reach.*I tried 5 times within \d+ s\.\)$/],
    [{ status: 401 }, /key.*look into it\.$/],
  ];
  test.each(faults)("%j", async (fault, sentence) => {
    const { text, turn } = await ask(fault);
    expect(text).toMatch(sentence);
    expect(turn.failure).toBeDefined();
    expect(turn.conversation.messages).toEqual([]);
  });

  test("a partial answer stays, and attempts are not mentioned", async () => {
    const { text, turn } = await ask({ kind: "reset", after: 2 });
    expect(text).toMatch(/^one two.*\n\n\*I cannot reach the language model[^(]*\*$/);
    expect(turn.conversation.messages[1]?.content).toMatch(/^one two/);
  });
});

/** Asks one question; returns the reply and the turn. */
async function ask(fault: Fault): Promise<{ text: string; turn: Turn }> {
  const simulator = await startModelSimulator({ reply: { text: "one two three four", pieces: 4 } });
  onTestFinished(() => simulator.close());
  simulator.fail(fault);
  const model = createOpenAI({ apiKey: simulator.key, baseURL: simulator.baseURL, model: "m-1" });
  const turn: Turn = {
    event: {
      id: "test:1",
      platform: "test",
      user: { id: "ann" },
      chat: { id: "ann", kind: "direct" },
      to: {},
      text: "count",
      at: Date.now(),
    },
    conversation: emptyConversation("test:ann"),
    signal: new AbortController().signal,
    locale: "en",
    say: texts("en"),
    image: async () => undefined,
    log: captureLog().log,
  };
  const reply = await createAnswer({
    models: [model],
    persona: "",
    personas: new Map(),
    limits: { policy: "drop" },
  })(turn, async () => undefined);
  if (!isStream(reply)) throw new Error("the answer must be a stream");
  let text = "";
  for await (const chunk of reply) text += chunk;
  return { text, turn };
}

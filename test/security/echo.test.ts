import { describe, expect, test } from "vitest";
import { describeError } from "../../src/errors.ts";
import { withoutEcho } from "../../src/sanitize/echo.ts";
import type { Fault } from "../../src/testing/openai.ts";
import { captureLog } from "../support/log.ts";
import { logLines, runProgram } from "../support/program.ts";
import { surroundings } from "../support/surroundings.ts";
import { until } from "../../src/testing/until.ts";

/** What nobody but the person and the model may read. */
const QUESTION =
  "My neighbour Quibblewort owes 48151623 and hides at Zanzibarstrasse; 我的秘密是金丝雀在唱歌";
const ANSWER = "Tell Frobnicatrix that the Xylophagus is under the stairs";
const CANARIES =
  /quibblewort|quibble|48151623|zanzibar|秘密|金丝|丝雀|唱歌|frobnicatrix|xylophag|neighbour|stairs/i;

/** How services repeat a question. */
const ECHOES: readonly Fault[] = [
  refusal({ message: `Invalid content: "${QUESTION}"`, param: "messages[1].content", code: "invalid_value" }),
  refusal({ message: `messages[1].content: ${QUESTION} is not allowed` }),
  refusal({ message: `Could not parse ${JSON.stringify(JSON.stringify({ content: QUESTION }))}` }),
  refusal({ message: { loc: ["body", "messages", 1], input: QUESTION } }),
  refusal({ message: `Invalid 'messages': ${QUESTION.slice(0, 24)}…${QUESTION.slice(0, 33)}` }),
  refusal({ message: QUESTION.toUpperCase().replaceAll(" ", "_"), code: "Quibblewort" }),
  refusal({ message: Array.from(QUESTION).join("\u200b") }),
  refusal({ message: `输入内容包含敏感词：${QUESTION}`, type: "data_inspection_failed" }),
  { status: 422, body: { detail: [{ loc: ["body"], msg: "bad", input: { content: QUESTION } }] } },
  { status: 400, body: `<html><body><h1>Blocked</h1><p>${QUESTION}</p></body></html>` },
  { status: 400, body: QUESTION },
  // Tried again after a moment, which is told in the log too.
  { status: 500, body: { error: { message: `Failed on: ${QUESTION}` } }, times: 1 },
  { kind: "error-in-stream", body: { error: { message: `Stopped at "${QUESTION}"`, code: 400 } } },
  { kind: "error-in-stream", after: 3, body: { error: { message: `Unsafe output: ${ANSWER}`, code: 400 } } },
];

function refusal(error: Readonly<Record<string, unknown>>): Fault {
  return { status: 400, body: { error: { type: "invalid_request_error", ...error } } };
}

test("whatever the model service repeats of a conversation, nobody else reads it", async () => {
  const { telegram, service, onTelegram } = await surroundings({ reply: ANSWER });
  const env = { ...onTelegram, LOG_LEVEL: "trace", MESSAGES_PER_MINUTE: "1000" };
  const program = runProgram(["start"], env);
  const { url } = await program.ready();
  for (const [index, fault] of ECHOES.entries()) {
    service.fail(fault);
    const person = `person-${index}`;
    telegram.say(person, QUESTION);
    await until(() => telegram.shows(person).length > 0);
    await until(() => ended(program.output()) === index + 1);
  }
  const pages = await Promise.all(
    ["/metrics", "/status", "/readyz", "/healthz"].map(async (path) =>
      (await fetch(String(url) + path)).text(),
    ),
  );
  const read = [program.output(), program.errors(), ...pages].join("\n");
  expect(read.match(CANARIES)).toBeNull();
  // What helps the operator is still there.
  expect(read).toContain("refused the request (400) [invalid_value, messages[1].content]: Invalid content:");
  expect(read.match(/"code":"bad_request"/g)?.length).toBeGreaterThanOrEqual(5);
  expect(read).toContain('"status":422');
  expect(read).toContain("Trying again in");
});

function ended(output: string): number {
  return logLines(output).filter(({ msg }) => msg === "answered").length;
}

test("whatever a platform repeats of an answer, nobody else reads it", async () => {
  const world = await surroundings({ reply: { text: ANSWER, pieces: 1 } });
  const { telegram, discord, dingtalk, onTelegram, onDiscord, onDingtalk } = world;
  const program = runProgram(["start"], { ...onTelegram, ...onDiscord, ...onDingtalk, LOG_LEVEL: "trace" });
  await program.ready();
  telegram.fail({
    method: "sendMessage",
    how: {
      status: 400,
      body: { ok: false, error_code: 400, description: `Bad Request: wrong text ${ANSWER}` },
    },
  });
  telegram.say("ann", QUESTION);
  const body = { code: 50_035, message: `Invalid Form Body: ${ANSWER}` };
  discord.fail({ method: "POST", path: /\/messages$/, status: 400, body });
  discord.say("ann", QUESTION);
  const refused = { errcode: 400_105, errmsg: `unsupported text ${ANSWER}` };
  dingtalk.fail({ call: "webhook", how: { status: 200, body: refused } });
  const robot = { code: "invalidParameter", message: `bad parameter ${ANSWER}` };
  dingtalk.fail({ call: "person", how: { status: 400, body: robot } });
  dingtalk.say("ann", QUESTION);
  for (const words of ["wrong text", "Invalid Form Body", "unsupported text"])
    await until(
      () => program.output().includes(words),
      () => program.output() + program.errors(),
    );
  expect((program.output() + program.errors()).match(CANARIES)).toBeNull();
});

describe("an error in the log", () => {
  test("says what, why and where, and not what packages attach to it", () => {
    const { log, lines } = captureLog();
    const cause = Object.assign(new Error("the row is refused"), {
      code: "22P02",
      detail: `Failing row contains (${QUESTION})`,
      where: `JSON data, line 1: ${QUESTION}`,
    });
    const error = Object.assign(new Error("cannot be stored\n    at Quibblewort", { cause }), {
      request: { body: QUESTION },
      code: "store",
    });
    log.error({ err: error }, `a turn fails: ${describeError(error.cause)}`);
    const [{ err }] = logLines(lines()) as [{ err: Record<string, string> }];
    expect(Object.keys(err)).toEqual(["type", "message", "code", "stack"]);
    expect(err["message"]).toContain("the row is refused");
    expect(err["stack"]).toContain("caused by: Error: the row is refused\n    at ");
    expect(lines().replaceAll("at Quibblewort", "").match(CANARIES)).toBeNull();
  });

  test("does not quote what was no JSON", () => {
    const { log, lines } = captureLog();
    for (const text of [QUESTION, `{"text": ${QUESTION}}`, `["${QUESTION}]`, `{} ${QUESTION}`]) {
      try {
        JSON.parse(text);
      } catch (error) {
        log.error({ err: error }, describeError(error));
      }
    }
    expect(logLines(lines())).toHaveLength(4);
    expect(lines()).toMatch(/not valid JSON/);
    expect(lines()).not.toMatch(/My n|Quib|"M"|'M'/);
  });
});

describe("of what a service says", () => {
  test.each([
    "This model's maximum context length is 4096 tokens. However, your messages resulted in 9123 tokens.",
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    "llama3.2 does not support tools",
    "Rate limit reached for gpt-x in organization org-1 on requests per min (RPM): Limit 3, Used 3, Requested 1.",
  ])("what it does not repeat stays: %s", (said) => {
    expect(withoutEcho(said, `${QUESTION} the model and its tokens, please use the tool`)).toBe(said);
  });

  test("a quotation goes, however common its words", () => {
    expect(
      withoutEcho("not allowed: the model of your system is bad", "the model of your system is bad"),
    ).toBe("not allowed: …");
    expect(withoutEcho('invalid content "is this allowed"', "tell me, is this allowed?")).toBe(
      'invalid content "…"',
    );
  });

  test("it takes no longer the more was said", () => {
    const long = Array.from({ length: 60_000 }, (_, index) => `word${index}`).join(" ");
    const started = performance.now();
    withoutEcho("xyz ".repeat(5000), long);
    withoutEcho("我们的请求失败".repeat(1000), "的模型在这里".repeat(60_000));
    withoutEcho("a ".repeat(5000), "a ".repeat(200_000));
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

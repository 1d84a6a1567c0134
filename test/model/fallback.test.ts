import { describe, expect, onTestFinished, test } from "vitest";
import { startTelegramSimulator } from "../../adapters/telegram/simulator/simulator.ts";
import { loadSettings } from "../../config/settings.ts";
import { ModelError } from "../../src/errors.ts";
import { startProgram } from "../../src/program/start.ts";
import { createFallback } from "../../src/model/fallback.ts";
import { createOpenAI } from "../../src/model/openai.ts";
import { type Fault, startModelSimulator } from "../../src/testing/openai.ts";
import { describeModel, listen, listenToFailure } from "../../src/testing/contracts/model.ts";
import { captureLog } from "../support/log.ts";
import { until } from "../../src/testing/until.ts";

describeModel("fallback", async () => {
  const simulator = await startModelSimulator({
    reply: ({ messages }) => ({
      text: `${messages.at(-1)?.content} `.padEnd(200, " and so on"),
      delayMs: 1,
    }),
  });
  return { model: build(simulator).model, close: () => simulator.close() };
});

describe("the second model answers if the first", () => {
  const faults: readonly Fault[] = [
    { status: 404 },
    { status: 503, times: 5, headers: { "retry-after": "0" } },
    { status: 429, headers: { "retry-after": "9999" } },
    { status: 500, times: 5, headers: { "retry-after": "0" } },
    { kind: "html", times: 5 },
    { kind: "cut", times: 5 },
    { kind: "junk-json", times: 5 },
  ];
  test.concurrent.each(faults)("met %j", async (fault) => {
    const { model, simulator, warnings } = await start();
    simulator.fail(fault);
    expect((await listen(model, "Hi")).pieces.join("")).toBe("I am backup");
    expect(simulator.requests.at(-1)?.model).toBe("backup");
    expect(warnings.at(-1)).toContain("Asking backup instead");
  });

  test("never said a word", async () => {
    const { model, simulator } = await start({ firstTokenMs: 1500, budgetMs: 0 });
    simulator.fail({ kind: "stall" });
    expect((await listen(model, "Hi")).pieces.join("")).toBe("I am backup");
  });
});

test("for a while the first model is then left in peace", async () => {
  const { model, simulator } = await start();
  simulator.fail({ status: 404 });
  await listen(model, "Hi");
  await listen(model, "Hi again");
  expect(simulator.requests.map(({ model }) => model)).toEqual(["main", "backup", "backup"]);
});

test.each<[Fault, string]>([
  [{ status: 401 }, "key"],
  [{ status: 402 }, "quota"],
  [{ status: 400, body: { error: { code: "content_filter" } } }, "filtered"],
  [{ status: 413 }, "too_long"],
])("%j concerns the second model too: %s", async (fault, code) => {
  const { model, simulator } = await start();
  simulator.fail(fault);
  expect((await listenToFailure(model)).error).toMatchObject({ code });
  expect(simulator.requests.map(({ model }) => model)).toEqual(["main"]);
});

test("half an answer of the first is not continued by the second", async () => {
  const { model, simulator } = await start();
  simulator.fail({ kind: "cut", after: 1 });
  const { heard, error } = await listenToFailure(model);
  expect(heard).not.toBe("");
  expect(error).toMatchObject({ code: "cut" });
  expect(simulator.requests.map(({ model }) => model)).toEqual(["main"]);
});

test("if both fail, all attempts are counted", async () => {
  const { model, simulator } = await start();
  simulator.fail({ status: 503, times: 10, headers: { "retry-after": "0" } });
  const { error } = await listenToFailure(model);
  expect(error).toMatchObject({ code: "busy", message: expect.stringContaining("backup") });
  expect(error instanceof ModelError && error.tries.count).toBe(10);
  expect(simulator.requests).toHaveLength(10);
});

test("OPENAI_FALLBACK_MODEL sets it up", async () => {
  const { simulator } = await start();
  const telegram = await startTelegramSimulator();
  const settings = loadSettings({
    OPENAI_API_KEY: simulator.key,
    OPENAI_BASE_URL: simulator.baseURL,
    OPENAI_MODEL: "main",
    OPENAI_FALLBACK_MODEL: "backup",
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.apiRoot,
    STORE_URL: "memory:",
    HTTP_PORT: "0",
  });
  const program = await startProgram({ settings, log: captureLog().log });
  onTestFinished(async () => {
    await program.stop();
    await telegram.close();
  });
  simulator.fail({ status: 404 });
  telegram.say("ann", "Hi");
  await until(() => telegram.shows("ann").includes("I am backup"));
});

async function start(timing: { firstTokenMs?: number; budgetMs?: number } = {}) {
  const simulator = await startModelSimulator({
    reply: ({ model }) => ({ text: `I am ${model}`, pieces: 2 }),
  });
  onTestFinished(() => simulator.close());
  return { simulator, ...build(simulator, timing) };
}

function build({ key, baseURL }: { key: string; baseURL: string }, timing = {}) {
  const warnings: string[] = [];
  const named = (model: string) => createOpenAI({ apiKey: key, baseURL, model, ...timing });
  const log = { warn: (message: string) => void warnings.push(message) };
  return { model: createFallback({ first: named("main"), second: named("backup"), log }), warnings };
}

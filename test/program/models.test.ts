import { onTestFinished, expect, test } from "vitest";
import { loadSettings } from "../../config/settings.ts";
import { startModelSimulator } from "../../src/testing/openai.ts";
import { checkModels, createModels } from "../../src/program/models.ts";
import { captureLog } from "../support/log.ts";

async function check(env: Record<string, string>) {
  const simulator = await startModelSimulator({ model: "gpt-5.4-mini" });
  onTestFinished(() => simulator.close());
  const settings = { OPENAI_API_KEY: simulator.key, OPENAI_BASE_URL: simulator.baseURL, ...env };
  const { log, lines } = captureLog();
  await checkModels(loadSettings(settings), log, new AbortController().signal);
  return lines();
}

test("names that the service does not list are told, with those that are alike", async () => {
  const said = await check({ OPENAI_MODEL: "gpt-5.4-mni", OPENAI_MODELS: "gpt-5.4-mini,llama" });
  expect(said).toMatch(
    /does not list the model gpt-5.4-mni \(OPENAI_MODEL\): check its name; similar names are gpt-5.4-mini/,
  );
  expect(said).toContain("does not list the model llama (OPENAI_MODELS): check its name");
  expect(said).not.toMatch(/list the model gpt-5.4-mini/);
});

test("a key that is refused is told at start, without the key", async () => {
  const said = await check({ OPENAI_API_KEY: "sk-wrong-key-1234" });
  expect(said).toContain("Check OPENAI_API_KEY");
  expect(said).not.toMatch(/sk-wrong|1234/);
});

test.each([
  { OPENAI_MODEL: "gpt-5.4-mini" },
  { OPENAI_BASE_URL: "http://127.0.0.1:9/v1" },
  { OPENAI_BASE_URL: "", OPENAI_API_KEY: "" },
])("nothing is said where nothing is wrong, or nothing can be told: %j", async (env) => {
  expect(await check(env)).toBe("");
});

test("each model has what is known of it, and the fallback of all", () => {
  const settings = loadSettings({
    OPENAI_API_KEY: "sk",
    OPENAI_MODEL: "m-1",
    OPENAI_MODELS: '{"m-2": {"context": 8000, "input": 1, "output": 2}, "m-1": {"context": 4000}}',
    OPENAI_FALLBACK_MODEL: "m-3",
    OPENAI_CONTEXT_TOKENS: "2000",
  });
  const models = createModels(settings, captureLog().log);
  expect(models.map(({ name, contextTokens, price }) => [name, contextTokens, price])).toEqual([
    ["m-1", 2000, undefined],
    ["m-2", 2000, { input: 1, output: 2 }],
  ]);
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startTelegramSimulator } from "../../adapters/telegram/simulator/simulator.ts";
import { loadSettings } from "../../config/settings.ts";
import { createLocalAccess } from "../../src/http/local.ts";
import { startProgram } from "../../src/program/start.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { type ModelSimulatorOptions, startModelSimulator } from "../../src/testing/openai.ts";
import { temporaryFolder } from "../support/folder.ts";
import { captureLog } from "../support/log.ts";
import { flat } from "../support/surroundings.ts";
import { until } from "../../src/testing/until.ts";

async function openProgram(reply: ModelSimulatorOptions["reply"], more: Record<string, string> = {}) {
  const [telegram, model] = await Promise.all([
    startTelegramSimulator(),
    startModelSimulator({ ...(reply && { reply }) }),
  ]);
  const settings = loadSettings({
    STORE_URL: `sqlite:${join(temporaryFolder(), "store.sqlite")}`,
    HTTP_PORT: "0",
    OPENAI_API_KEY: model.key,
    OPENAI_BASE_URL: model.baseURL,
    OPENAI_MODELS: '{"simulated": {"context": 32768, "input": 1, "output": 2}}',
    OPENAI_MODEL: "simulated",
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.apiRoot,
    ...more,
  });
  const local = createLocalAccess();
  const program = await startProgram({ settings, log: captureLog().log, local });
  onTestFinished(async () => {
    await program.stop();
    await Promise.all([telegram.close(), model.close()]);
  });
  await program.connected;
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${program.url}${path}`, { headers: { authorization: `Bearer ${local.token}`, ...headers } });
  return {
    telegram,
    model,
    get,
    figures: async () => readExposition(await (await get("/metrics")).text()),
  };
}

test("turns, times, tokens, cost and writes are counted", async () => {
  const { telegram, figures } = await openProgram({
    text: "one two three ".repeat(50),
    pieces: 10,
    delayMs: 10,
  });
  telegram.say("ann", "hello");
  await until(
    async () => (await figures()).get('colloquy_turns_total{platform="telegram",outcome="answered"}') === 1,
  );
  const found = await figures();
  expect(found.get('colloquy_answer_seconds_count{platform="telegram"}')).toBe(1);
  expect(found.get('colloquy_first_text_seconds_count{platform="telegram"}')).toBe(1);
  expect(found.get('colloquy_first_text_seconds_sum{platform="telegram"}')).toBeLessThanOrEqual(
    found.get('colloquy_answer_seconds_sum{platform="telegram"}') ?? 0,
  );
  const input = found.get('colloquy_tokens_total{model="simulated",direction="in"}') ?? 0;
  const output = found.get('colloquy_tokens_total{model="simulated",direction="out"}') ?? 0;
  expect(Math.min(input, output)).toBeGreaterThan(0);
  expect(found.get('colloquy_cost_total{model="simulated"}')).toBeCloseTo((input + 2 * output) / 1e6, 9);
  expect(found.get('colloquy_writes_total{platform="telegram",outcome="taken"}')).toBeGreaterThan(0);
  expect(found.get('colloquy_connected{part="telegram"}')).toBe(1);
  expect(found.get('colloquy_model_requests_total{model="simulated",outcome="answered"}')).toBe(1);
  expect(found.get("colloquy_dead_letters")).toBe(0);
  expect(found.get("colloquy_http_connections")).toBeGreaterThan(0);
  // It leaves the queue once all is saved.
  await until(async () => (await figures()).get("colloquy_queue_events") === 0);
  expect(found.get("process_resident_memory_bytes")).toBeGreaterThan(1e6);
});

test("failures and refusals are counted by kind, and what waits", async () => {
  const { telegram, model, figures } = await openProgram("fine");
  const flood = {
    ok: false,
    error_code: 429,
    description: "Too Many Requests",
    parameters: { retry_after: 1 },
  };
  telegram.fail({ method: "sendMessage", how: { status: 429, body: flood } });
  // A command's text is there at once. A growing answer might meet the refusal with a frame, which is not written again.
  telegram.say("ann", "/reset");
  await until(
    async () => (await figures()).get('colloquy_writes_total{platform="telegram",outcome="slow"}') === 1,
  );
  await until(async () => (await figures()).get('colloquy_retries_total{platform="telegram"}') === 1);
  model.fail({ status: 503, headers: { "retry-after": "0" } });
  telegram.say("ann", "hello");
  await until(async () => flat(telegram.shows("ann")).endsWith("fine"));
  expect((await figures()).get('colloquy_model_requests_total{model="simulated",outcome="busy"}')).toBe(1);
  model.fail({ status: 401 });
  telegram.say("ann", "again");
  await until(
    async () => (await figures()).get('colloquy_turns_total{platform="telegram",outcome="failed"}') === 1,
  );
  expect((await figures()).get('colloquy_errors_total{kind="model",code="key"}')).toBe(1);
});

test("who cannot be reached any more has failed to be answered", async () => {
  const { telegram, figures } = await openProgram("fine");
  const blocked = { ok: false, error_code: 403, description: "Forbidden: bot was blocked by the user" };
  telegram.fail({ method: "sendMessage", how: { status: 403, body: blocked } });
  telegram.say("ann", "hello");
  await until(
    async () => (await figures()).get('colloquy_turns_total{platform="telegram",outcome="failed"}') === 1,
  );
  expect((await figures()).has('colloquy_answer_seconds_count{platform="telegram"}')).toBe(false);
});

test("docs/metrics.md names every figure, and no other", async () => {
  const { get } = await openProgram("fine");
  const text = await (await get("/metrics")).text();
  const served = [...text.matchAll(/^# TYPE (colloquy_\w+)/gm)].map(([, name]) => name);
  const docs = readFileSync(join(import.meta.dirname, "../../docs/metrics.md"), "utf8");
  const named = [...docs.matchAll(/^\| `(colloquy_\w+)(?:\{[\w, ]+\})?` \|/gm)].map(([, name]) => name);
  expect(new Set(named)).toEqual(new Set(served));
});

test("without the store its figures are left out, and the others are there", async () => {
  const metrics = createMetrics({
    platforms: ["telegram"],
    health: () => ({ store: "it is away" }),
    load: () => Promise.reject(new Error("away")),
    connections: async () => 3,
  });
  onTestFinished(() => metrics.stop());
  const found = readExposition(await metrics.text());
  expect([...found.keys()].filter((name) => /queue|dead/.test(name))).toEqual([]);
  expect(found.get("colloquy_http_connections")).toBe(3);
  expect(found.get('colloquy_connected{part="store"}')).toBe(0);
});

test("nothing that people are or say is among the figures", async () => {
  const { telegram, get } = await openProgram(
    ({ messages }) => `You said ${String(messages.at(-1)?.content)}`,
  );
  for (const name of ["ann-the-secret", "bob-the-secret"]) telegram.say(name, `words of ${name}`);
  await until(() => flat(telegram.shows("bob-the-secret")).includes("words of bob"));
  for (const path of ["/metrics", "/status"]) {
    const text = await (await get(path)).text();
    expect(text).toContain("telegram");
    expect(text).not.toMatch(/secret|words of/);
    expect(text).not.toContain(String(telegram.userId("ann-the-secret")));
  }
});

test("without a STATUS_TOKEN only the operator at this machine sees them; with one, its holder does too", async () => {
  const closed = await openProgram("fine");
  expect((await closed.get("/status")).status).toBe(200);
  expect((await closed.get("/status", { authorization: "" })).status).toBe(403);
  const token = "a-token-of-some-length";
  const { get } = await openProgram("fine", { STATUS_TOKEN: token });
  expect((await get("/status", { authorization: "" })).status).toBe(401);
  expect((await get("/metrics", { authorization: "Bearer wrong" })).status).toBe(401);
  expect((await get("/metrics", { authorization: `Bearer ${token}` })).status).toBe(200);
  const basic = Buffer.from(`anyone:${token}`).toString("base64");
  const page = await get("/status", { authorization: `Basic ${basic}`, "accept-language": "zh-CN,en" });
  expect(page.status).toBe(200);
  expect(await page.text()).toContain("已运行");
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  const tries = await Promise.all(
    Array.from({ length: 30 }, () => get("/status", { authorization: "Bearer no" })),
  );
  expect(tries.map(({ status }) => status)).toContain(429);
});

/** Figures by name and labels; rejects what is not as the format says: every figure has HELP and TYPE before it. */
function readExposition(text: string): Map<string, number> {
  const known = new Set<string>();
  const figures = new Map<string, number>();
  for (const line of text.split("\n").filter(Boolean)) {
    const about = /^# (HELP|TYPE) ([a-z_\d]+) ./.exec(line);
    if (about) {
      known.add(`${about[1]} ${about[2]}`);
      continue;
    }
    const figure = /^([a-z_\d]+)(\{(?:[a-z_]+="[^"\n]*",?)*\})? ([-+.\deE]+|nan|\+inf)$/i.exec(line);
    if (!figure?.[1]) throw new Error(`no figure: ${line}`);
    const base = figure[1].replace(/_(bucket|sum|count)$/, "");
    for (const kind of ["HELP", "TYPE"])
      if (!known.has(`${kind} ${figure[1]}`) && !known.has(`${kind} ${base}`))
        throw new Error(`no ${kind}: ${line}`);
    figures.set(`${figure[1]}${figure[2] ?? ""}`, Number(figure[3]));
  }
  return figures;
}

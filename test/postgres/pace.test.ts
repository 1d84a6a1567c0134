import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { startTelegramSimulator } from "../../adapters/telegram/simulator/simulator.ts";
import { loadSettings } from "../../config/settings.ts";
import type { Role } from "../../src/colloquy.ts";
import { startProgram } from "../../src/program/start.ts";
import { startModelSimulator } from "../../src/testing/openai.ts";
import { captureLog } from "../support/log.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { until } from "../../src/testing/until.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.close());

/** One that receives and three that answer, as far apart as processes are, but for the process. */
async function setUp(more: Record<string, string>) {
  const [telegram, service] = await Promise.all([
    startTelegramSimulator({ flood: true }),
    startModelSimulator({ reply: ({ messages }) => messages.at(-1)?.content ?? "" }),
  ]);
  const { log, lines } = captureLog();
  const settings = loadSettings({
    OPENAI_API_KEY: service.key,
    OPENAI_BASE_URL: service.baseURL,
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.apiRoot,
    STORE_URL: await server.createDatabase(),
    HTTP_PORT: "0",
    // So that one worker alone cannot do it.
    TURNS_AT_ONCE: "2",
    ...more,
  });
  const roles: Role[] = ["worker", "worker", "worker", "intake"];
  const programs = await Promise.all(roles.map((role) => startProgram({ settings, log, role })));
  onTestFinished(async () => {
    await Promise.all(programs.map((program) => program.stop()));
    await Promise.all([telegram.close(), service.close()]);
  });
  await Promise.all(programs.map(({ connected }) => connected));
  return { telegram, service, lines };
}

test("a person's messages a minute are counted over all processes", async () => {
  const { telegram, service } = await setUp({ MESSAGES_PER_MINUTE: "4" });
  for (let index = 0; index < 10; index += 1) telegram.say("ann", `word ${index}`);
  await until(() => telegram.shows("ann").length === 5);
  telegram.say("ann", "/reset");
  await until(() => telegram.shows("ann").length === 6);
  expect(telegram.shows("ann").slice(0, 4)).toEqual(["word 0", "word 1", "word 2", "word 3"]);
  expect(service.requests.length).toBe(4);
});

test("three workers together keep to what a bot may write", async () => {
  const { telegram, lines } = await setUp({});
  const people = Array.from({ length: 100 }, (_, index) => `person ${index}`);
  for (const person of people) telegram.say(person, "hello");
  await until(
    () => people.every((person) => telegram.shows(person).includes("hello")),
    "all answers",
    25_000,
  );
  const refusals = lines().split("did not accept a message").length - 1;
  expect(refusals).toBeLessThan(people.length / 10);
});

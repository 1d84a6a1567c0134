import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { startTelegramSimulator } from "../../adapters/telegram/simulator/simulator.ts";
import { loadSettings } from "../../config/settings.ts";
import { startProgram } from "../../src/program/start.ts";
import { startModelSimulator } from "../../src/testing/openai.ts";
import { openLink } from "../support/link.ts";
import { captureLog } from "../support/log.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { flat } from "../support/surroundings.ts";
import { until } from "../../src/testing/until.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.close());

const TEXT = `${"on and on ".repeat(60)}END`;

/** The program, with a way to the database that can fail. */
async function setUp() {
  const url = new URL(await server.createDatabase());
  const [telegram, service, link] = await Promise.all([
    startTelegramSimulator(),
    startModelSimulator({ reply: () => ({ text: TEXT, pieces: 30, delayMs: 100 }) }),
    openLink(Number(url.port)),
  ]);
  const { log } = captureLog();
  const settings = loadSettings({
    OPENAI_API_KEY: service.key,
    OPENAI_BASE_URL: service.baseURL,
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.apiRoot,
    STORE_URL: Object.assign(url, { port: String(link.port) }).href,
    HTTP_PORT: "0",
  });
  const program = await startProgram({ settings, log });
  onTestFinished(async () => {
    link.mend();
    await program.stop();
    await Promise.all([telegram.close(), service.close(), link.close()]);
  });
  await program.connected;
  return { telegram, service, link, program };
}

test("nobody notices a database that is away for a moment, in the midst of an answer", async () => {
  const { telegram, service, link } = await setUp();
  telegram.say("ann", "tell me");
  await until(() => flat(telegram.shows("ann")).includes("on and on"));
  link.block();
  telegram.say("ann", "and more");
  setTimeout(() => link.mend(), 1000);
  await until(
    () => flat(telegram.shows("ann")) === flat([TEXT, TEXT]),
    () => flat(telegram.shows("ann")),
  );
  expect(service.requests.length).toBe(2);
});

test("the end does not wait for a database that is away, and what was asked is answered afterwards", async () => {
  const { telegram, link, program } = await setUp();
  telegram.say("ann", "tell me");
  await until(() => flat(telegram.shows("ann")).includes("on and on"));
  link.block();
  await program.stop();
  link.mend();
}, 60_000);

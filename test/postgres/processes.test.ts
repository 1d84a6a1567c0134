import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { type RunningProgram, runProgram } from "../support/program.ts";
import { flat, surroundings } from "../support/surroundings.ts";
import { until } from "../../src/testing/until.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.close());

/** How long takeovers took, for the eyes of people. */
const took: string[] = [];
afterAll(() => void process.stdout.write(`${took.join("\n")}\n`));

/** Simulators, a database, and processes that share it. */
async function setUp(model: Parameters<typeof surroundings>[0] = {}) {
  const around = await surroundings(model);
  const STORE_URL = await server.createDatabase();
  const settings = { ...around.onTelegram, ...around.onDiscord, STORE_URL, MESSAGES_PER_MINUTE: "1000" };
  const start = (role: string, more: Record<string, string> = {}) =>
    runProgram(["start", "--role", role], { ...settings, ...more });
  return { ...around, start };
}

async function ready(...programs: RunningProgram[]): Promise<void> {
  await Promise.all(programs.map((program) => program.ready()));
}

/** Answers that grow until they are told to end. */
function slowly() {
  let delayMs = 200;
  return {
    hurry: () => (delayMs = 1),
    reply: ({ messages }: { messages: readonly { content: string }[] }) => {
      const question = messages.at(-1)?.content ?? "";
      return { text: `${question}: ${"on and on ".repeat(60)}END`, pieces: 60, delayMs };
    },
  };
}

const answerTo = (question: string) => `${question}: ${"on and on ".repeat(60)}END`;

test("what a killed worker had in hand is finished by another, once, and its conversations go on", async () => {
  const { reply, hurry } = slowly();
  const { telegram, discord, service, start } = await setUp({ reply });
  const workers = [start("worker"), start("worker")] as const;
  await ready(start("intake"), ...workers);
  const people = Array.from({ length: 6 }, (_, index) => `person${index}`);
  for (const person of people) {
    telegram.say(person, `one of ${person}`);
    discord.say(person, `one of ${person}`);
  }
  await until(() => service.requests.length === 2 * people.length, "all to be asked");
  await until(() => people.every((person) => flat(telegram.shows(person)) !== ""), "growing answers");
  workers[0].signal("SIGKILL");
  const since = Date.now();
  const before = service.requests.length;
  for (const person of people) telegram.say(person, `two of ${person}`);
  await until(() => service.requests.length > before, "another worker to take over", 30_000);
  took.push(`a killed worker's conversations went on after ${Date.now() - since} ms`);
  hurry();
  for (const person of people) {
    const whole = (...words: string[]) => flat(words.map((word) => answerTo(`${word} of ${person}`)));
    await sees(telegram, person, whole("one", "two"));
    await sees(discord, person, whole("one"));
  }
}, 120_000);

test("what a killed process received is received by another", async () => {
  const { telegram, discord, start } = await setUp({
    reply: ({ messages }) => messages.at(-1)?.content ?? "",
  });
  const both = [start("intake"), start("intake")] as const;
  await ready(...both, start("worker"));
  telegram.say("ann", "first");
  discord.say("ann", "first");
  await until(() => telegram.shows("ann").length === 1 && discord.shows("ann").length === 1);
  const receiving = both.findIndex((one) => one.output().includes('"partition":"telegram'));
  both[receiving]?.signal("SIGKILL");
  const since = Date.now();
  telegram.say("ann", "second");
  await until(() => telegram.shows("ann").includes("second"), "an answer on Telegram", 60_000);
  took.push(`Telegram was received again ${Date.now() - since} ms after the kill`);
  discord.say("ann", "second");
  await until(() => discord.shows("ann").includes("second"), "an answer on Discord", 60_000);
  took.push(`Discord was received again ${Date.now() - since} ms after the kill`);
}, 120_000);

test("/stop reaches the process that answers", async () => {
  const { reply } = slowly();
  const { telegram, service, start } = await setUp({ reply });
  await ready(start("intake"), start("worker"));
  telegram.say("ann", "tell me");
  await until(() => flat(telegram.shows("ann")).includes("on and on"));
  telegram.say("ann", "/stop");
  await until(() => service.requests[0]?.aborted, "the request to be called off");
  await until(() => flat(telegram.shows("ann")).includes("topped"));
}, 60_000);

test("an update that comes to two processes at once is answered once", async () => {
  const urls: string[] = [];
  const balancer = createServer(async (request, response) => {
    const body = await text(request);
    const headers = { "x-telegram-bot-api-secret-token": "secret", "content-type": "application/json" };
    const answers = await Promise.all(
      urls.map((url) => fetch(`${url}${request.url}`, { method: "POST", headers, body })),
    );
    response.writeHead(Math.max(...answers.map(({ status }) => status))).end();
  });
  await new Promise<void>((resolve) => balancer.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void balancer.close());
  const { port } = balancer.address() as AddressInfo;
  const { telegram, service, start } = await setUp({
    reply: ({ messages }) => messages.at(-1)?.content ?? "",
  });
  const webhook = {
    TELEGRAM_WEBHOOK_URL: `http://127.0.0.1:${port}/webhooks/telegram`,
    TELEGRAM_WEBHOOK_SECRET: "secret",
    DISCORD_BOT_TOKEN: "",
  };
  const both = [start("all", webhook), start("all", webhook)];
  urls.push(...(await Promise.all(both.map(async (one) => String((await one.ready())["url"])))));
  const words = Array.from({ length: 10 }, (_, index) => `word ${index}`);
  for (const word of words) telegram.say("ann", word);
  await until(() => telegram.shows("ann").length >= words.length, "the answers", 30_000);
  expect(telegram.shows("ann")).toEqual(words);
  expect(service.requests.length).toBe(words.length);
}, 60_000);

test("300 answers of seconds at once, on two workers: nobody waits for a stranger's", async () => {
  const { telegram, service, start } = await setUp({
    reply: ({ messages }) => ({ text: messages.at(-1)?.content ?? "", pieces: 2, delayMs: 15_000 }),
  });
  await ready(start("all"), start("worker"));
  const people = Array.from({ length: 300 }, (_, index) => `person${index}`);
  const since = Date.now();
  for (const person of people) telegram.say(person, `of ${person}`);
  await until(
    () => service.requests.length === 300,
    () => `${service.requests.length} of 300 asked`,
    30_000,
  );
  expect(service.requests.filter(({ ended }) => ended)).toEqual([]);
  took.push(`300 were asked at once within ${Date.now() - since} ms`);
}, 90_000);

test("a rolling restart loses and doubles nothing, be it in order or by kill -9", async () => {
  const { reply, hurry } = slowly();
  const { telegram, service, start } = await setUp({ reply });
  const old = [start("all"), start("all")] as const;
  await ready(...old);
  const people = Array.from({ length: 8 }, (_, index) => `person${index}`);
  const say = (word: string) => {
    for (const person of people) telegram.say(person, `${word} of ${person}`);
  };
  say("one");
  await until(() => service.requests.length >= people.length, "all to be asked");
  for (const [program, signal] of [
    [old[0], "SIGTERM"],
    [old[1], "SIGKILL"],
  ] as const) {
    const next = start("all");
    await ready(next);
    program.signal(signal);
    say(`during ${signal}`);
    await program.exited;
  }
  hurry();
  for (const person of people) {
    const words = ["one", "during SIGTERM", "during SIGKILL"];
    await sees(telegram, person, flat(words.map((word) => answerTo(`${word} of ${person}`))));
  }
  expect(await old[0].exited).toBe(0);
}, 120_000);

function sees(chats: { shows(person: string): readonly string[] }, person: string, whole: string) {
  const shown = () => flat(chats.shows(person));
  const excerpt = () => `the whole answers; ${person} sees: ${shown().replaceAll(/(on and )+/g, "… ")}`;
  return until(() => shown() === whole, excerpt, 60_000);
}

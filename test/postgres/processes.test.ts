import { afterAll, beforeAll, expect, test } from "vitest";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { type RunningProgram, runProgram } from "../support/program.ts";
import { flat, surroundings } from "../support/surroundings.ts";
import { until } from "../support/until.ts";

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
  const intake = start("intake");
  const workers = [start("worker"), start("worker")] as const;
  await ready(intake, ...workers);
  const people = Array.from({ length: 10 }, (_, index) => `person${index}`);
  for (const person of people) {
    telegram.say(person, `one of ${person}`);
    discord.say(person, `one of ${person}`);
  }
  await until(() => service.requests.length === 20, "all to be asked");
  await until(() => people.every((person) => flat(telegram.shows(person)) !== ""), "growing answers");
  workers[0].signal("SIGKILL");
  const since = Date.now();
  const before = service.requests.length;
  for (const person of people) telegram.say(person, `two of ${person}`);
  await until(() => service.requests.length > before, "another worker to take over", 30_000);
  took.push(`a killed worker's conversations went on after ${Date.now() - since} ms`);
  hurry();
  for (const person of people) {
    const whole = (questions: string[]) => flat(questions.map((one) => answerTo(`${one} of ${person}`)));
    await until(
      () => flat(telegram.shows(person)) === whole(["one", "two"]),
      () => `Telegram's answers of ${person}: ${flat(telegram.shows(person)).slice(0, 300)}`,
      60_000,
    );
    await until(
      () => flat(discord.shows(person)) === whole(["one"]),
      `Discord's answers of ${person}`,
      60_000,
    );
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
  const receives = (part: string) =>
    both.find((one) => one.output().includes(`"part":"${part}`)) ?? expect.unreachable(`nobody has ${part}`);
  const [onTelegram, onDiscord] = [receives("telegram"), receives("discord")];
  onTelegram.signal("SIGKILL");
  if (onDiscord !== onTelegram) onDiscord.signal("SIGKILL");
  const third = onDiscord === onTelegram ? undefined : start("intake");
  const since = Date.now();
  telegram.say("ann", "second");
  discord.say("ann", "second");
  await until(() => telegram.shows("ann").includes("second"), "an answer on Telegram", 60_000);
  took.push(`Telegram was received again ${Date.now() - since} ms after the kill`);
  await until(() => discord.shows("ann").includes("second"), "an answer on Discord", 60_000);
  took.push(`Discord was received again ${Date.now() - since} ms after the kill`);
  expect(third === undefined || third.output() !== "").toBe(true);
}, 120_000);

test("/stop reaches the process that answers", async () => {
  const { reply } = slowly();
  const { telegram, service, start } = await setUp({ reply });
  await ready(start("intake"), start("worker"), start("worker"));
  telegram.say("ann", "tell me");
  await until(() => flat(telegram.shows("ann")).includes("on and on"));
  telegram.say("ann", "/stop");
  await until(() => service.requests[0]?.aborted, "the request to be called off");
  await until(() => flat(telegram.shows("ann")).includes("topped"));
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

test.each(["SIGTERM", "SIGKILL"] as const)(
  "a rolling restart by %s loses and doubles nothing",
  async (signal) => {
    const { reply, hurry } = slowly();
    const { telegram, service, start } = await setUp({ reply });
    const old = [start("all"), start("all")];
    await ready(...old);
    const people = Array.from({ length: 12 }, (_, index) => `person${index}`);
    const say = (word: string) => {
      for (const person of people) telegram.say(person, `${word} of ${person}`);
    };
    say("one");
    await until(() => service.requests.length >= people.length, "all to be asked");
    for (const [index, program] of old.entries()) {
      const next = start("all");
      await ready(next);
      program.signal(signal);
      say(`again ${index}`);
      await program.exited;
    }
    hurry();
    for (const person of people) {
      const whole = flat(["one", "again 0", "again 1"].map((word) => answerTo(`${word} of ${person}`)));
      await until(
        () => flat(telegram.shows(person)) === whole,
        () => `${person} sees ${flat(telegram.shows(person)).replaceAll(/(on and on )+/g, "… ")}`,
        60_000,
      );
    }
    if (signal === "SIGTERM") expect(await Promise.all(old.map(({ exited }) => exited))).toEqual([0, 0]);
  },
  120_000,
);

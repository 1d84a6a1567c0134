import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startDiscordSimulator } from "../../adapters/discord/simulator/simulator.ts";
import { startTelegramSimulator } from "../../adapters/telegram/simulator/simulator.ts";
import { startModelSimulator } from "../../src/testing/openai.ts";
import { HEAD, judge, lineOf, type Sample } from "./curve.ts";
import { answerTo, createPeople } from "./people.ts";
import { type Measured, startMeasured } from "./program.ts";

/**
 * `npm run soak -- [--users 10000] [--turns 100000]`: the program as people run it, at its real pace, between
 * simulated platforms; ends with 1 if an answer is lost or the program's memory goes on growing.
 */

/** How many users wait for an answer at any time on each platform. */
const AT_ONCE = 80;

/** How often the program is measured in all. */
const SAMPLES = 50;

/** What the simulators remember: each answer is looked at when it has come. */
const KEEP = 12;

const { values } = parseArgs({ options: { users: { type: "string" }, turns: { type: "string" } } });
const users = Number(values.users ?? 10_000);
const turns = Number(values.turns ?? 100_000);

const [telegram, discord, model] = await Promise.all([
  startTelegramSimulator({ keep: KEEP }),
  startDiscordSimulator({ keep: KEEP }),
  startModelSimulator({ keep: KEEP, reply: answerTo }),
]);
const folder = mkdtempSync(join(tmpdir(), "colloquy-soak-"));
let program: Measured | undefined;
try {
  program = await startMeasured(folder, {
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.apiRoot,
    DISCORD_BOT_TOKEN: discord.token,
    DISCORD_API_ROOT: discord.apiRoot,
    OPENAI_API_KEY: model.key,
    OPENAI_BASE_URL: model.baseURL,
    OPENAI_MODEL: "simulated",
    // So few that tokens are counted from the first fifth on: the counter takes 20 MB, once.
    OPENAI_CONTEXT_TOKENS: "4096",
    // A few people who test the soak itself may write a lot.
    MESSAGES_PER_MINUTE: "100000",
    LOG_LEVEL: "info",
  });
  const samples = await soak(program);
  await program.stop();
  const { lines, grown } = judge(samples);
  print(...lines, grown.length > 0 ? `NOT FLAT: ${grown.join(", ")}` : "flat, and every answer has arrived");
  process.exitCode = grown.length > 0 ? 1 : 0;
} finally {
  await program?.kill();
  await Promise.all([telegram.close(), discord.close(), model.close()]);
  rmSync(folder, { recursive: true, force: true });
}

/** All answers, and the sizes on the way. */
async function soak(program: Measured): Promise<Sample[]> {
  const samples: Sample[] = [];
  const since = performance.now();
  const people = createPeople({
    places: [telegram, discord],
    users,
    turns,
    atOnce: AT_ONCE,
    failed: () => program.failed(),
  });
  let over = false;
  const done = people.done.finally(() => (over = true));
  print(`${users} people, ${turns} questions`, HEAD);
  while (!over) {
    if (people.answered >= Math.ceil((turns * samples.length) / SAMPLES)) await take();
    await Promise.race([done, sleep(200)]);
  }
  await done;
  await take();
  return samples;

  async function take(): Promise<void> {
    const sizes = await program.measure();
    const sample = { turns: people.answered, at: performance.now() - since, ...sizes };
    print(lineOf(sample, samples.at(-1)));
    samples.push(sample);
  }
}

function print(...lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(""));
}

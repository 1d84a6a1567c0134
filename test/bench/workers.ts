import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTelegramSimulator } from "../../adapters/telegram/simulator/simulator.ts";
import { startModelSimulator } from "../../src/testing/openai.ts";
import { createCluster } from "../chaos/cluster.ts";
import { startPostgres } from "../support/postgres.ts";
import { until } from "../../src/testing/until.ts";

/**
 * `npm run build && npx tsx test/bench/workers.ts`: how many answers a second one, two and four workers give on
 * PostgreSQL, beside one process that receives. The model takes 2 s an answer, and each worker has few places, so that
 * waiting and not this machine's processor is what there is too little of.
 */

const PLACES = 10;
const ANSWER_MS = 2_000;
/** So many rounds of all places are asked for. */
const ROUNDS = 12;

const postgres = await startPostgres();
const folder = mkdtempSync(join(tmpdir(), "colloquy-bench-"));
let one: number | undefined;
for (const workers of [1, 2, 4, 1, 2, 4]) {
  const perSecond = await measure(workers);
  one ??= perSecond;
  const most = (workers * PLACES * 1000) / ANSWER_MS;
  process.stdout.write(
    `${workers} workers: ${perSecond.toFixed(1)} answers a second, ${(perSecond / one).toFixed(2)} times one worker's ` +
      `first figure, ${Math.round((100 * perSecond) / most)} % of what ${PLACES} places each can give\n`,
  );
}
rmSync(folder, { recursive: true, force: true });
await postgres.close();

async function measure(workers: number): Promise<number> {
  const [telegram, model] = await Promise.all([
    startTelegramSimulator(),
    startModelSimulator({ reply: () => ({ text: "an answer", pieces: 1, delayMs: ANSWER_MS }) }),
  ]);
  const settings = {
    STORE_URL: await postgres.createDatabase(),
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.apiRoot,
    OPENAI_API_KEY: model.key,
    OPENAI_BASE_URL: model.baseURL,
    TURNS_AT_ONCE: String(PLACES),
  };
  const cluster = createCluster({
    size: workers + 1,
    folder: mkdtempSync(join(folder, "run-")),
    settings: () => settings,
    role: (member) => (member === 0 ? "intake" : "worker"),
  });
  cluster.startAll();
  await cluster.ready();
  const people = Array.from({ length: ROUNDS * workers * PLACES }, (_, index) => `person${index}`);
  const answered = () => people.filter((person) => telegram.shows(person).length > 0).length;
  for (const person of people) telegram.say(person, "hello");
  // The first round is all workers' waking up.
  await until(() => answered() >= workers * PLACES, "the first answers", 60_000);
  const [since, before] = [performance.now(), answered()];
  await until(() => answered() >= people.length - workers * PLACES, "the answers", 300_000);
  const perSecond = ((answered() - before) * 1000) / (performance.now() - since);
  await cluster.close();
  await Promise.all([telegram.close(), model.close()]);
  return perSecond;
}

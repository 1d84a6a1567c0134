import { setMaxListeners } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Cluster, createCluster } from "./cluster.ts";
import { letFail } from "./faults.ts";
import { createPeople, evidenceOf, letAsk, type Person } from "./people.ts";
import { bad, isBad, judgeAll, openIn, tableOf } from "./report.ts";
import { STORES } from "./stores.ts";
import { startWorld, type World } from "./world.ts";

/**
 * `npm run chaos -- [--minutes 30] [--users 100] [--seed N] [--store sqlite|postgres]`: the real program between simulated
 * platforms and a simulated model, all of which fail at random while it is killed at random; ends with 1 if anybody
 * does not see in the end what the model has said to them.
 */

/** Once no more faults happen: after how many ms without any answer the missing ones are given up. */
const QUIET_MS = 2 * 60_000;

const PROGRESS_EVERY_MS = 10_000;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    users: { type: "string", default: "100" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    store: { type: "string", default: "sqlite" },
  },
});
const [minutes, users, seed] = [values.minutes, values.users, values.seed].map(Number) as [
  number,
  number,
  number,
];
const openStore = STORES[values.store];
if (!openStore || !(minutes > 0) || !(users >= 2) || !Number.isSafeInteger(seed)) {
  print(
    `Use --minutes and --users with numbers, --seed with a whole one, --store with ${Object.keys(STORES).join(" or ")}`,
  );
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), "colloquy-chaos-"));
const world = await startWorld();
const store = await openStore(folder);
const cluster = createCluster({
  size: store.processes,
  folder,
  settings: (member) => ({ ...world.settings, STORE_URL: store.urlOf(member) }),
});
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => interrupted.abort());
try {
  process.exitCode = await run(world, cluster);
} finally {
  await cluster.close();
  await store.close();
  await world.close();
}

/** The exit code. */
async function run(world: World, cluster: Cluster): Promise<number> {
  const people = createPeople(world, users);
  print(`seed ${seed}, ${users} people, ${minutes} minutes; logs and store in ${folder}`);
  cluster.startAll();
  await cluster.ready();
  const since = Date.now();
  const progress = setInterval(() => print(progressLine({ since, people, cluster })), PROGRESS_EVERY_MS);
  try {
    // Discord tells nobody what a stranger said while a session was lost: first everybody is known.
    for (const person of people) person.ask();
    await answered(people);
    await rage(people);
    if (interrupted.signal.aborted) return 130;
    print("nothing fails any more");
    const lost = await answered(people);
    // Once more in peace: everybody's history shall be what they see.
    for (const person of people) person.ask();
    await answered(people, lost);
    return interrupted.signal.aborted ? 130 : judge(people);
  } finally {
    clearInterval(progress);
  }
}

/** People ask while everything fails. */
async function rage(people: readonly Person[]): Promise<void> {
  const over = new AbortController();
  // Everybody listens to it.
  setMaxListeners(0, over.signal);
  const timer = setTimeout(() => over.abort(), minutes * 60_000);
  interrupted.signal.addEventListener("abort", () => over.abort());
  const faults = letFail({ world, cluster, more: store.faults, seed }, over.signal);
  await Promise.all([letAsk(people, seed, over.signal), faults.over]);
  clearTimeout(timer);
  const counts = [...faults.counts].sort(([, one], [, other]) => other - one);
  print("what failed how often:", ...counts.map(([name, count]) => `${String(count).padStart(6)}  ${name}`));
  if (interrupted.signal.aborted) return;
  cluster.startAll();
  await cluster.ready();
}

/** Waits until at most a number of answers are missing, or until no more come; returns how many are still open. */
async function answered(people: readonly Person[], given = 0): Promise<number> {
  let open = Number.POSITIVE_INFINITY;
  for (let quietSince = Date.now(); Date.now() - quietSince < QUIET_MS; await sleep(1000)) {
    const before = open;
    open = openIn(judgeAll(people, evidenceOf(people, world)));
    if (open <= given || interrupted.signal.aborted) break;
    if (open !== before) quietSince = Date.now();
  }
  return open;
}

function judge(people: readonly Person[]): number {
  const judged = judgeAll(people, evidenceOf(people, world));
  print("", ...tableOf(judged), ...bad(judged), ...cluster.accidents);
  for (const { person, evidence, verdict } of judged.filter((one) => one.verdict.findings.length > 0)) {
    const all = { verdict, asked: person.asked, shows: evidence.shows, calls: world.callsOf(person.name) };
    writeFileSync(join(folder, `${person.name}.json`), JSON.stringify(all, undefined, 1));
  }
  const failed = isBad(judged) || cluster.accidents.length > 0;
  print(
    "",
    failed
      ? `FAILED; seed ${seed}, logs and store in ${folder}`
      : "nothing lost, nothing reordered, nothing leaked",
  );
  return failed ? 1 : 0;
}

function progressLine({
  since,
  people,
  cluster,
}: {
  since: number;
  people: readonly Person[];
  cluster: Cluster;
}): string {
  const asked = people.reduce((sum, person) => sum + person.asked.length, 0);
  const open = people.reduce((sum, person) => sum + person.open(), 0);
  const at = ((Date.now() - since) / 60_000).toFixed(1);
  return `${at} min: ${cluster.kills} kills, ${asked} questions, ${open} answers open`;
}

function print(...lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(""));
}

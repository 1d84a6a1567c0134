/**
 * Many people at the web chat: `npm run build && npx tsx test/bench/web.ts [people] [streams]`. Prints what an idle
 * person costs in memory, and whether those who ask at once wait for one another, beside one who asks alone.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { request } from "node:http";
import { startModelSimulator } from "../../src/testing/openai.ts";
import { createKeys } from "../support/local.ts";
import { freePort } from "../support/port.ts";
import { until } from "../../src/testing/until.ts";

const [people = 500, streams = 50] = process.argv.slice(2).map(Number);

/** What each answer takes if nobody waits, in ms. */
const ANSWER_MS = 5_000;
const PIECES = 100;

interface Person {
  readonly cookie: string;
  /** When the first of an answer was seen, and its end. */
  first?: number;
  done?: number;
}

const folder = mkdtempSync(join(tmpdir(), "colloquy-bench-"));
const model = await startModelSimulator({
  reply: { text: "words and **more** words ".repeat(80), pieces: PIECES, delayMs: ANSWER_MS / PIECES },
  keep: 1,
});
const port = await freePort();
const program = spawn(process.execPath, [join(import.meta.dirname, "../../dist/src/cli.js"), "start"], {
  cwd: folder,
  env: {
    PATH: process.env["PATH"],
    STORE_URL: `sqlite:${join(folder, "store.sqlite")}`,
    HTTP_PORT: String(port),
    OPENAI_API_KEY: model.key,
    OPENAI_BASE_URL: model.baseURL,
    OPENAI_MODEL: "simulated",
    LOG_LEVEL: "error",
  },
  stdio: ["pipe", "ignore", "inherit"],
});
const keyOf = createKeys(`sqlite:${join(folder, "store.sqlite")}`);
try {
  await until(
    async () => (await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined))?.ok,
    "the start",
  );
  const warm = await enter("warm");
  const alone = await ask([warm]);
  const before = resident();
  const all: Person[] = [];
  for (let index = 0; index < people; index += 1) all.push(await enter(`person${index}`, index));
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const after = resident();
  print(
    `${people} people connected: ${before} kB before, ${after} kB with them, ${((after - before) / people).toFixed(1)} kB each`,
  );
  const many = await ask(all.slice(0, streams));
  print(
    `first text, ms: alone ${alone.first[0]}, ${streams} at once: median ${middle(many.first)}, worst ${many.first.at(-1)}`,
  );
  print(
    `whole answer, ms: alone ${alone.done[0]}, ${streams} at once: median ${middle(many.done)}, worst ${many.done.at(-1)}`,
  );
  print(
    `with ${streams} at once to alone: first text ${ratio(many.first, alone.first)}, whole answer ${ratio(many.done, alone.done)}`,
  );
} finally {
  program.kill("SIGKILL");
  await model.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exit();

/** Signs in and listens; an address of its own, as so many do not sign in from one within a minute. */
async function enter(name: string, index = 0): Promise<Person> {
  const key = await keyOf(name);
  const localAddress = `127.0.${1 + Math.floor(index / 15)}.1`;
  const cookie = await new Promise<string>((resolve, reject) => {
    const asking = request(
      {
        port,
        host: "127.0.0.1",
        localAddress,
        path: "/api/session",
        method: "POST",
        headers: { "content-type": "application/json" },
      },
      (response) => resolve(response.resume().headers["set-cookie"]?.[0]?.split(";")[0] ?? ""),
    );
    asking.on("error", reject).end(JSON.stringify({ key }));
  });
  const person: Person = { cookie };
  request({ port, host: "127.0.0.1", path: "/api/events", headers: { cookie }, agent: false }, (response) => {
    response.setEncoding("utf8").on("data", (text: string) => {
      if (text.includes('"kind":"shown"')) person.first ??= performance.now();
      if (text.includes('"kind":"done"')) person.done ??= performance.now();
    });
  }).end();
  return person;
}

/** All of them at once; from the question to what is seen, in ms, the quickest first. */
async function ask(some: readonly Person[]): Promise<{ first: number[]; done: number[] }> {
  const begin = performance.now();
  await Promise.all(
    some.map(({ cookie }) =>
      fetch(`http://127.0.0.1:${port}/api/conversations/main/messages`, {
        method: "POST",
        headers: { cookie, "content-type": "application/json" },
        body: JSON.stringify({ id: randomUUID(), text: "go on" }),
      }),
    ),
  );
  await until(() => some.every(({ done }) => done !== undefined), "all answers", 120_000);
  const since = (times: (number | undefined)[]) =>
    times.map((time = 0) => Math.round(time - begin)).sort((a, b) => a - b);
  return { first: since(some.map(({ first }) => first)), done: since(some.map(({ done }) => done)) };
}

/** In kB. */
function resident(): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.pid}/status`, "utf8"))?.[1]);
}

function middle(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function ratio(a: readonly number[], b: readonly number[]): string {
  return (middle(a) / middle(b)).toFixed(2);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

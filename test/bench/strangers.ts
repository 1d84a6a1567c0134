/**
 * Strangers against people: `npm run build && npx tsx test/bench/strangers.ts [seconds] [strangers] [people]`. People chat
 * for that long undisturbed, and then again while strangers ask every address that is open to them, without a pause, with
 * wrong keys, large bodies and silent connections. Prints how long answers took both times; ends with 1 if the slowest one
 * took more than 2 s longer, or if one did not come.
 */
import { fork, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startModelSimulator } from "../../src/testing/openai.ts";
import { createKeys } from "../support/local.ts";
import { freePort } from "../support/port.ts";
import { until } from "../../src/testing/until.ts";

const [seconds = 60, strangers = 200, people = 20] = process.argv.slice(2).map(Number);

/** How much longer an answer may take while strangers are at it, in ms. */
const MAX_DELAY_MS = 2_000;

/** An answer of a second and a half. */
const REPLY = { text: "words and **more** words ".repeat(20), pieces: 50, delayMs: 30 };

const port = Number(process.env["STRANGERS_AT"] ?? 0);
if (port > 0) await beStrangers(port);
else process.exit(await compare());

async function compare(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "colloquy-bench-"));
  const store = `sqlite:${join(folder, "store.sqlite")}`;
  const model = await startModelSimulator({ reply: REPLY, keep: 1 });
  const at = await freePort();
  const program = spawn(process.execPath, [join(import.meta.dirname, "../../dist/src/cli.js"), "start"], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"],
      STORE_URL: store,
      HTTP_PORT: String(at),
      OPENAI_API_KEY: model.key,
      OPENAI_BASE_URL: model.baseURL,
      OPENAI_MODEL: "simulated",
      MESSAGES_PER_MINUTE: "1000",
      LOG_LEVEL: "error",
    },
    stdio: ["pipe", "ignore", "inherit"],
  });
  try {
    await until(
      async () => (await fetch(`http://127.0.0.1:${at}/healthz`).catch(() => undefined))?.ok,
      "the start",
    );
    const keyOf = createKeys(store);
    const cookies: string[] = [];
    for (let index = 0; index < people; index += 1)
      cookies.push(await signIn(at, await keyOf(`person${index}`)));
    const calm = await chat(at, cookies, seconds / 2);
    print("undisturbed", calm, program.pid);
    const crowd = fork(import.meta.filename, [String(seconds)], {
      execArgv: process.execArgv,
      env: { ...process.env, STRANGERS_AT: String(at), STRANGERS: String(strangers) },
    });
    const counted = new Promise<Record<string, number>>((resolve) =>
      crowd.once("message", resolve as () => void),
    );
    const disturbed = await chat(at, cookies, seconds);
    print(`beside ${strangers} strangers`, disturbed, program.pid);
    process.stdout.write(`what the strangers got: ${JSON.stringify(await counted)}\n`);
    crowd.kill("SIGKILL");
    const delay = (disturbed.at(-1) ?? Number.POSITIVE_INFINITY) - (calm.at(-1) ?? 0);
    process.stdout.write(
      `the slowest answer took ${Math.round(delay)} ms longer; allowed are ${MAX_DELAY_MS}\n`,
    );
    return delay <= MAX_DELAY_MS ? 0 : 1;
  } finally {
    program.kill("SIGKILL");
    await model.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Lets each person ask one question after the other. Resolves with how long the answers took, in ms, the fastest first. */
async function chat(at: number, cookies: readonly string[], forSeconds: number): Promise<number[]> {
  const took: number[] = [];
  const end = performance.now() + forSeconds * 1000;
  await Promise.all(
    cookies.map(async (cookie) => {
      const done = listen(at, cookie);
      while (performance.now() < end) {
        const asked = performance.now();
        const body = JSON.stringify({ id: randomUUID(), text: "tell me" });
        const next = done();
        await fetch(`http://127.0.0.1:${at}/api/conversations/main/messages`, {
          method: "POST",
          headers: { cookie, "content-type": "application/json" },
          body,
        }).then(async (response) => {
          if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
        });
        await next;
        took.push(performance.now() - asked);
      }
    }),
  );
  return took.toSorted((a, b) => a - b);
}

/** Resolves each time that an answer is whole. */
function listen(at: number, cookie: string): () => Promise<void> {
  let wake = () => {};
  const headers = { cookie };
  request({ port: at, host: "127.0.0.1", path: "/api/events", headers, agent: false }, (response) => {
    response.setEncoding("utf8").on("data", (text: string) => text.includes('"kind":"done"') && wake());
  }).end();
  return () => new Promise((resolve) => (wake = resolve));
}

async function signIn(at: number, key: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${at}/api/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ key }),
  });
  return response.headers.get("set-cookie")?.split(";")[0] ?? "";
}

function print(when: string, took: readonly number[], pid = 0): void {
  const [median = 0, worst = 0] = [took[Math.floor(took.length / 2)], took.at(-1)];
  const memory = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  process.stdout.write(
    `${when}: ${took.length} answers, median ${Math.round(median)} ms, slowest ${Math.round(worst)} ms, ` +
      `program ${Math.round(Number(memory) / 1000)} MB\n`,
  );
}

/** What strangers ask, over and over. */
async function beStrangers(at: number): Promise<void> {
  const got: Record<string, number> = {};
  const count = (what: string) => (got[what] = (got[what] ?? 0) + 1);
  const end = performance.now() + seconds * 1000;
  const large = Buffer.alloc(1_000_000, " ");
  const json = { "content-type": "application/json" };
  const asks: readonly (readonly [method: string, path: string, headers: object, body?: string | Buffer])[] =
    [
      ["GET", "/", {}],
      ["GET", "/assets/main.js", {}],
      ["GET", "/api/session", {}],
      ["GET", "/api/session", { cookie: "colloquy=guessed" }],
      ["POST", "/api/session", json, '{"key":"wrong"}'],
      ["POST", "/api/session", json, large],
      ["GET", "/api/openapi.json", {}],
      ["GET", "/api/events", {}],
      ["POST", "/api/conversations/main/messages", json, large],
      ["POST", "/v1/chat/completions", { ...json, authorization: "Bearer wrong" }, large],
      ["GET", "/v1/models", { authorization: "Bearer wrong" }],
      ["GET", "/healthz", {}],
      ["GET", "/readyz", {}],
      ["GET", "/metrics", { authorization: "Bearer wrong" }],
      ["GET", "/status", {}],
      ["GET", "/playground", {}],
      ["POST", "/webhooks/telegram", json, large],
      ["GET", `/${"x".repeat(2000)}`, {}],
    ];
  await Promise.all(
    Array.from({ length: Number(process.env["STRANGERS"]) }, async (_, index) => {
      const localAddress = `127.1.${Math.floor(index / 200)}.${1 + (index % 200)}`;
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let turn = index; performance.now() < end; turn += 1) {
        const [method = "GET", path = "/", headers = {}, body] = asks[turn % asks.length] ?? [];
        await new Promise<void>((resolve) => {
          const asking = request(
            { port: at, host: "127.0.0.1", localAddress, agent, method, path, headers: { ...headers } },
            (response) => {
              count(String(response.statusCode));
              response.resume().on("close", resolve);
            },
          );
          asking.on("error", () => (count("cut"), resolve())).end(body);
        });
        if (turn % 10 === 0)
          connect({ port: at, host: "127.0.0.1", localAddress }).on("error", () => count("refused"));
      }
    }),
  );
  process.send?.(got);
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { createColloquy } from "../../src/colloquy.ts";
import { createDemoModel } from "../../src/model/demo/demo.ts";
import { createEcho } from "../example/echo-adapter.ts";
import { captureLog } from "../support/log.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";

const BOT = fileURLToPath(new URL("../support/poisoned-bot.ts", import.meta.url));

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.close());

test("a message that ends the process keeps others waiting for no more than the next two starts", async () => {
  const store = await server.createDatabase();
  const shown: string[] = [];
  const platform = createServer((request, response) => {
    void json(request).then((body) => {
      shown.push((body as { text: string }).text);
      response.end();
    });
  });
  await new Promise<void>((resolve) => platform.listen(0, "127.0.0.1", () => resolve()));
  onTestFinished(() => void platform.close());
  const url = `http://127.0.0.1:${(platform.address() as { port: number }).port}`;
  const echo = createEcho({ url, secret: "of the platform" });
  const intake = await createColloquy({
    adapters: [echo],
    model: createDemoModel(),
    store,
    role: "intake",
    log: captureLog().log,
  });
  await intake.start();
  for (const [id, from, text] of [
    ["1", "ann", "poison"],
    ["2", "ann", "and this?"],
    ["3", "bob", "one"],
    ["4", "carl", "two"],
  ])
    await echo.http?.fetch(
      new Request("http://x", {
        method: "POST",
        headers: { "x-echo-secret": "of the platform" },
        body: JSON.stringify({ id, from, text }),
      }),
    );
  await intake.stop();
  for (let life = 0; life < 3; life += 1) {
    const bot = spawn(process.execPath, ["--import", "tsx", BOT, store, url], { stdio: "ignore" });
    onTestFinished(() => void bot.kill("SIGKILL"));
    expect(await once(bot, "exit")).toEqual([null, "SIGKILL"]);
  }
  expect(shown.toSorted()).toEqual(["You said: one", "You said: two"]);
});

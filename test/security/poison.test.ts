import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import type { ChatEvent } from "../../src/event.ts";
import { createPoisonGuard, type Leftover } from "../../src/queue/poison.ts";
import { writeEntry } from "../../src/queue/entry.ts";
import { openStore } from "../../src/store/store.ts";
import { temporaryFolder } from "../support/folder.ts";
import { until } from "../../src/testing/until.ts";

const BOT = fileURLToPath(new URL("../support/poisoned-bot.ts", import.meta.url));

/** A queue in which these people have asked something, and what a platform shows of the answers. */
async function leave(asked: Readonly<Record<string, readonly string[]>>) {
  const url = `sqlite:${join(temporaryFolder(), "store.sqlite")}`;
  const store = await openStore(url);
  const queue = await store.open("queue");
  let number = 0;
  for (const [who, texts] of Object.entries(asked))
    for (const text of texts) {
      number += 1;
      const event = eventOf(who, number, text);
      await queue.set(event.id, writeEntry({ number, event, attempts: 0 }));
    }
  await store.close();
  const shown: string[] = [];
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      shown.push((body as { text: string }).text);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const start = (): ChildProcess & { said: () => string } => {
    const words = ["--import", "tsx", BOT, url, `http://127.0.0.1:${port}`];
    const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "ignore"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    let output = "";
    child.stdout?.on("data", (data: Buffer) => (output += data.toString()));
    return Object.assign(child, { said: () => output });
  };
  return { start, shown };
}

function eventOf(who: string, number: number, text: string): ChatEvent {
  const chat = { id: who, kind: "direct" as const };
  const at = Date.now();
  return { id: `echo:${number}`, platform: "echo", user: { id: who }, chat, to: { from: who }, text, at };
}

test("a message that ends the process comes after all others at the next start, and what follows it waits", async () => {
  const { start, shown } = await leave({
    ann: ["poison", "and this?"],
    bob: ["one", "two"],
    carl: ["three"],
    dora: ["four"],
  });
  for (let life = 0; life < 2; life += 1) expect(await once(start(), "exit")).toEqual([null, "SIGKILL"]);
  expect(shown.toSorted()).toEqual(["You said: four", "You said: one", "You said: three", "You said: two"]);
});

test("a message with which the process stands still comes after all others at the next start", async () => {
  const { start, shown } = await leave({ ann: ["hang"], bob: ["one"], carl: ["two"] });
  for (let life = 0; life < 2; life += 1) {
    const bot = start();
    await until(() => bot.said().includes("hanging"));
    // As what watches over a process does that does not answer.
    bot.kill("SIGKILL");
    await once(bot, "exit");
  }
  expect(shown.toSorted()).toEqual(["You said: one", "You said: two"]);
});

const SOME: readonly Leftover[] = [
  { deaths: 2, begun: 0 },
  { deaths: 0, begun: -1 },
  { deaths: 1, begun: 2 },
  { deaths: 1, begun: 1 },
  { deaths: 4, begun: 3 },
  { deaths: 0, begun: -1 },
  { deaths: 4, begun: 4 },
];

test("what processes have died with is begun last, and at last one at a time", async () => {
  const begun: Leftover[] = [];
  let open: Leftover | undefined;
  let wakes = 0;
  const ready = new Set(SOME);
  const guard = createPoisonGuard<Leftover>(() => (wakes += 1));
  onTestFinished(() => guard.stop());
  while (ready.size > 0) {
    const before = wakes;
    const next = guard.next([...ready]);
    if (next) {
      expect(open?.deaths ?? 0).toBeLessThan(4);
      begun.push(next);
      ready.delete(next);
      guard.begin(next);
      if (next.deaths === 4) open = next;
      else guard.end(next);
    } else if (open) {
      guard.end(open);
      open = undefined;
    } else await until(() => wakes > before);
  }
  expect(begun.map(({ deaths, begun: at }) => [deaths, at])).toEqual([
    [0, -1],
    [0, -1],
    [1, 1],
    [1, 2],
    [2, 0],
    [4, 3],
    [4, 4],
  ]);
});

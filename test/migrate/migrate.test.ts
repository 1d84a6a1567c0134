import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { ConfigError, describeError } from "../../src/errors.ts";
import type { ChatEvent } from "../../src/event.ts";
import { migrate } from "../../src/migrate/migrate.ts";
import { createProgress } from "../../src/migrate/progress.ts";
import { claimStore } from "../../src/store/claim.ts";
import { openStore } from "../../src/store/store.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runProgram } from "../support/program.ts";
import { anyStored, contentOf, fill, type Stored, storedWith, waitingEvent } from "../support/stored.ts";
import { until } from "../../src/testing/until.ts";

const interrupts = ({ command }: ChatEvent) => command === "stop";
const silent = { write: () => true };

function run(from: string, to: string): Promise<string> {
  return migrate({ from, to, interrupts, progress: silent });
}

function newStores() {
  const folder = temporaryFolder();
  return { from: `sqlite:${join(folder, "from.sqlite")}`, to: `sqlite:${join(folder, "to.sqlite")}` };
}

const small = storedWith({
  history: [["paper:ann", { version: 2, revision: 7, text: "hello" }]],
  waiting: [{ event: waitingEvent("ann", 1), attempts: 3 }],
});

/** The marker in a store. */
async function markerOf(url: string): Promise<Record<string, unknown> | undefined> {
  const store = await openStore(url);
  const found = (await (await store.open("kept")).get("migration")) as string | undefined;
  await store.close();
  return found === undefined ? undefined : (JSON.parse(found) as Record<string, unknown>);
}

test("all of a store is in the other one, and the first is as it was", async () => {
  await fc.assert(
    fc.asyncProperty(anyStored(), async (stored) => {
      const { from, to } = newStores();
      await fill(from, stored);
      await run(from, to);
      expect(await contentOf(to)).toEqual(stored);
      expect(await contentOf(from)).toEqual(stored);
    }),
    { numRuns: 12 },
  );
});

test("it says what was copied, how far it is, and what is next", async () => {
  const { from, to } = newStores();
  await fill(from, small);
  const program = runProgram(["migrate", from, to]);
  expect(await program.exited).toBe(0);
  expect(program.output()).toMatch(/1 conversation, 1 waiting event, 0 dead letters, in [\d.]+ s/);
  expect(program.output()).toMatch(/Set STORE_URL .* once all is well\.\n$/);
  expect(program.errors()).toContain("copying conversations: 1 of 1 (100 %)\n");
  expect(program.errors()).toContain("comparing waiting events: 1 of 1 (100 %)\n");
});

test("killed in the midst of it, it goes on where it was", async () => {
  const { from, to } = newStores();
  const text = "x".repeat(50_000);
  const history = Array.from(
    { length: 600 },
    (_, index) => [`paper:${index}`, { revision: index, text }] as const,
  );
  const waiting = Array.from({ length: 600 }, (_, index) => ({
    event: waitingEvent(`${index % 7}`, index),
    attempts: 0,
  }));
  const stored = storedWith({ history, waiting });
  await fill(from, stored);
  const killed = runProgram(["migrate", from, to]);
  await until(async () => (await isThere(to)) && (await markerOf(to))?.["after"]);
  killed.signal("SIGKILL");
  expect(await killed.exited).toBe("SIGKILL");
  expect(await markerOf(to)).toMatchObject({ place: "history" });
  // Had it begun again, it would meet what stands there already.
  const done = (await contentOf(to)).records.history.size;
  expect(done).toBeGreaterThan(0);
  expect(done).toBeLessThan(history.length);
  const resumed = runProgram(["migrate", from, to]);
  expect(await resumed.exited, resumed.errors()).toBe(0);
  expect(await contentOf(to)).toEqual(stored);
});

async function isThere(url: string): Promise<boolean> {
  try {
    // SQLite's header stands there once something was written.
    return readFileSync(url.replace("sqlite:", "")).length > 0;
  } catch {
    return false;
  }
}

describe("refused is", () => {
  test("a target with something of its own, which stays as it is", async () => {
    const { from, to } = newStores();
    await fill(from, small);
    const own = storedWith({ waiting: [{ event: waitingEvent("bob", 1), attempts: 0 }] });
    await fill(to, own);
    await expect(run(from, to)).rejects.toThrow(/TO .* is not empty \(queue: 1\)/);
    expect(await contentOf(to)).toEqual(own);
  });

  test("a target with the half of another store", async () => {
    const { from, to } = newStores();
    await fill(from, small);
    await fill(to, storedWith({}));
    const store = await openStore(to);
    await (await store.open("kept")).set(
      "migration",
      JSON.stringify({ version: 1, from: "postgres://db:5432/other", place: "kept" }),
    );
    await store.close();
    await expect(run(from, to)).rejects.toThrow(/unfinished migration from postgres:\/\/db:5432\/other/);
    await expect(run(to, `${from}.third`)).rejects.toThrow(/FROM itself holds an unfinished migration/);
  });

  test.each(["from", "to"] as const)("a store on which a program runs: %s", async (end) => {
    const stores = newStores();
    await fill(stores.from, small);
    const claim = await claimStore(stores[end]);
    onTestFinished(() => claim?.release());
    const refused = run(stores.from, stores.to);
    await expect(refused).rejects.toThrow(ConfigError);
    await expect(refused).rejects.toThrow(
      `${end.toUpperCase()}: a program or another migration uses this SQLite file`,
    );
    await claim?.release();
    await run(stores.from, stores.to);
    expect(await contentOf(stores.to)).toEqual(small);
  });

  test("what is no store, or none that keeps anything", async () => {
    const { from, to } = newStores();
    await expect(run(from, to)).rejects.toThrow(/FROM: .*the file .* does not exist/);
    await fill(from, small);
    await expect(run("memory:", to)).rejects.toThrow(/FROM is memory:/);
    await expect(run(from, "memory:")).rejects.toThrow(/TO is memory:/);
    await expect(run(from, from)).rejects.toThrow(/are the same store/);
    await expect(run(from, from.replace("sqlite:", "sqlite://"))).rejects.toThrow(/are the same store/);
    for (const url of ["mysql://ann:hu/sh@db/chat", "postgres://ann:hu/sh@db/chat"]) {
      const error = await run(from, url).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(ConfigError);
      expect(describeError(error)).not.toMatch(/hu|sh@/);
    }
  });
});

test("a difference is found and named, and the target stays unfinished", async () => {
  const { from, to } = newStores();
  await fill(from, small);
  // As if the program had answered on the old store between two runs.
  const marker = { version: 1, from, place: "queue", after: "[9e15,1]" };
  const cases: readonly (readonly [Stored, RegExp])[] = [
    [storedWith({ waiting: small.waiting }), /history "paper:ann" is missing in TO/],
    [
      storedWith({ history: [["paper:ann", "older"]], waiting: small.waiting }),
      /history "paper:ann" differs in TO/,
    ],
    [
      storedWith({ ...small.records, history: [...small.records.history, ["b", 1]], waiting: small.waiting }),
      /history "b" is only in TO/,
    ],
    [storedWith({ history: small.records.history }), /queue "paper:ann:1" is missing in TO/],
    [
      storedWith({ history: small.records.history, waiting: [{ ...small.waiting[0]!, attempts: 4 }] }),
      /queue "paper:ann:1" differs in TO/,
    ],
    [
      storedWith({
        history: small.records.history,
        waiting: [...small.waiting, { event: waitingEvent("bob", 2), attempts: 0 }],
      }),
      /queue "paper:bob:2" is only in TO/,
    ],
  ];
  for (const [index, [there, named]] of cases.entries()) {
    const other = `${to}.${index}`;
    await fill(other, there);
    const store = await openStore(other);
    await (await store.open("kept")).set("migration", JSON.stringify(marker));
    await store.close();
    await expect(run(from, other)).rejects.toThrow(named);
    expect(await markerOf(other)).toEqual(marker);
  }
});

test("a difference ends the program with 1", async () => {
  const { from, to } = newStores();
  await fill(from, small);
  await fill(to, storedWith({}));
  const store = await openStore(to);
  await (await store.open("kept")).set(
    "migration",
    JSON.stringify({ version: 1, from, place: "queue", after: "[9e15,1]" }),
  );
  await store.close();
  const program = runProgram(["migrate", from, to]);
  expect(await program.exited).toBe(1);
  expect(program.errors()).toContain('history "paper:ann" is missing in TO');
});

test("a terminal has one line for each part, others have lines", () => {
  const shown = (isTTY: boolean) => {
    let text = "";
    const progress = createProgress({ isTTY, write: (more) => (text += more) });
    for (const done of [1, 2, 4]) progress.show({ action: "copying", table: "queue", done, total: 4 });
    progress.end();
    return text;
  };
  expect(shown(false)).toBe(
    "copying waiting events: 1 of 4 (25 %)\ncopying waiting events: 4 of 4 (100 %)\n",
  );
  expect(shown(true)).toBe(
    "\rcopying waiting events: 1 of 4 (25 %)\u001B[K\rcopying waiting events: 4 of 4 (100 %)\u001B[K\n",
  );
});

test("a program does not start on a store whose migration was interrupted", async () => {
  const { to } = newStores();
  const store = await openStore(to);
  await (await store.open("kept")).set("migration", "{}");
  await store.close();
  const program = runProgram(["start"], { STORE_URL: to });
  expect(await program.exited).toBe(2);
  expect(program.errors()).toMatch(/was interrupted: run the same `colloquy migrate` again/);
});

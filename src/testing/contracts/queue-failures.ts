import { expect } from "vitest";
import { PlatformError, StoreError } from "../../errors.ts";
import type { ChatEvent } from "../../event.ts";
import { MAX_ATTEMPTS, type Signals } from "../../queue/queue.ts";
import { until } from "../until.ts";
import { aborted, begin, forEver, type QueueUnderTest, said } from "./queue-under-test.ts";
import type { Scenario } from "./scenario.ts";

/** What happens to events that fail, or end the process. */
export function describeFailures(scenario: Scenario<QueueUnderTest>): void {
  scenario(
    "gives up what fails each time, says so once, and goes on with the conversation",
    async (subject) => {
      const queue = await subject.open();
      const seen: string[] = [];
      const lettersAtTheEnd: number[] = [];
      await queue.start({
        work: async ({ id }) => {
          seen.push(id);
          if (id === "ann-1") throw new Error("this text breaks it");
        },
        giveUp: async ({ id }) => {
          seen.push(`${id} given up`);
          lettersAtTheEnd.push((await subject.dead.list()).length);
        },
      });
      await queue.push(said("ann", 1));
      await queue.push(said("ann", 2));
      await until(async () => (await subject.stored()).length === 0);
      await queue.stop();
      const attempts = Array.from({ length: MAX_ATTEMPTS }, () => "ann-1");
      expect(seen).toEqual([...attempts, "ann-1 given up", "ann-2"]);
      expect(lettersAtTheEnd).toEqual([1]);
      expect(await subject.dead.list()).toMatchObject([
        { event: said("ann", 1), error: "this text breaks it", attempts: MAX_ATTEMPTS },
      ]);
    },
  );

  scenario("never gives up an event because of a transient failure", async (subject) => {
    const failures = [
      new StoreError("SQLITE_FULL", "the disk is full"),
      new PlatformError("unreachable", "the platform is away"),
    ];
    for (const [index, failure] of failures.entries()) {
      const queue = await subject.open();
      let attempts = 0;
      await begin(queue, async () => {
        attempts += 1;
        if (attempts <= MAX_ATTEMPTS + 1) throw failure;
      });
      await queue.push(said("ann", index));
      await until(async () => (await subject.stored()).length === 0);
      await queue.stop();
    }
    const requeue = async (_: ChatEvent, { requeued }: Signals) => {
      await aborted({ requeued, interrupted: requeued });
      throw requeued.reason;
    };
    for (let run = 0; run <= MAX_ATTEMPTS; run += 1) {
      const queue = await subject.open();
      await begin(queue, requeue);
      await queue.push(said("bob", 1));
      await queue.stop();
    }
    expect(await subject.stored()).toEqual(["bob-1"]);
    expect(await subject.dead.list()).toEqual([]);
  });

  scenario(
    "gives up a poison message that kills the process each time, and nothing else",
    async (subject) => {
      const first = await subject.open();
      await begin(first, forEver);
      for (const event of [said("bob", 1), said("ann", 1), said("ann", 2)]) await first.push(event);
      await subject.kill(first);
      for (let run = 0; run < 50 && (await subject.dead.list()).length === 0; run += 1) {
        const begun: string[] = [];
        const queue = await subject.open();
        let given = false;
        await queue.start({
          // Ann's message kills at once; until then Bob's is worked on beside it.
          work: async ({ id }) => {
            begun.push(id);
            if (!(id === "bob-1" && begun.length === 1)) return forEver();
          },
          giveUp: async () => {
            given = true;
            return forEver();
          },
        });
        await until(() => given || begun.includes("ann-1"));
        await subject.kill(queue);
      }
      const heir = await subject.open();
      const seen: string[] = [];
      await begin(heir, async ({ id }) => void seen.push(id));
      await until(async () => (await subject.stored()).length === 0);
      await heir.stop();
      expect((await subject.dead.list()).map(({ event, attempts }) => [event.id, attempts])).toEqual([
        ["ann-1", MAX_ATTEMPTS],
      ]);
      expect(seen.filter((id) => id !== "bob-1")).toEqual(["ann-2"]);
    },
  );

  scenario("processes poison messages one at a time", async (subject) => {
    const people = Array.from({ length: 10 }, (_, index) => said(`user${index}`, 1));
    const first = await subject.open();
    await begin(first, forEver);
    await Promise.all(people.map((event) => first.push(event)));
    await subject.kill(first);
    for (let run = 0; run < MAX_ATTEMPTS; run += 1) {
      let begun = 0;
      const queue = await subject.open();
      await begin(queue, () => {
        begun += 1;
        return forEver();
      });
      await until(() => begun > 0);
      await subject.kill(queue);
    }
    const heir = await subject.open();
    const given: string[] = [];
    const seen: string[] = [];
    await heir.start({
      work: async ({ id }) => void seen.push(id),
      giveUp: async ({ id }) => void given.push(id),
    });
    await until(async () => (await subject.stored()).length === 0);
    await heir.stop();
    expect(given.length).toBeLessThanOrEqual(1);
    expect(seen.length).toBeGreaterThanOrEqual(9);
  });

  scenario("takes a dead letter back on request, and retries it as if new", async (subject) => {
    const queue = await subject.open();
    let broken = true;
    const seen: string[] = [];
    await begin(queue, async ({ id, text }) => {
      if (broken) throw new Error("broken");
      seen.push(`${id} ${text}`);
    });
    await queue.push(said("ann", 1));
    await queue.push(said("bob", 1));
    await until(
      async () => (await subject.dead.list()).length === 2 && (await subject.stored()).length === 0,
    );
    broken = false;
    expect(await subject.dead.retry("ann-1")).toBe(true);
    expect(await subject.dead.retry("nobody-1")).toBe(false);
    await until(
      async () => (await subject.dead.list()).length === 1 && (await subject.stored()).length === 0,
    );
    expect(seen).toEqual(["ann-1 message 1"]);
    expect(await subject.dead.drop("bob-1")).toBe(true);
    expect(await subject.dead.drop("bob-1")).toBe(false);
    expect(await subject.dead.list()).toEqual([]);
    await queue.stop();
  });

  scenario("a request to retry a dead letter waits for the next start", async (subject) => {
    await subject.dead.add({ event: said("ann", 1), error: "broken", attempts: 8, at: 1 });
    await subject.dead.retry("ann-1");
    const queue = await subject.open();
    const seen: string[] = [];
    await begin(queue, async ({ id }) => void seen.push(id));
    await until(
      async () => (await subject.dead.list()).length === 0 && (await subject.stored()).length === 0,
    );
    expect(seen).toEqual(["ann-1"]);
    await queue.stop();
  });
}

import fc from "fast-check";
import { describe, expect } from "vitest";
import { Overflow, Requeued } from "../../errors.ts";
import type { ChatEvent } from "../../event.ts";
import { MAX_WAITING } from "../../queue/queue.ts";
import { until } from "../until.ts";
import { describeFailures } from "./queue-failures.ts";
import { aborted, begin, type QueueUnderTest, said } from "./queue-under-test.ts";
import { type Scenario, scenariosOf } from "./scenario.ts";

/** Declares the tests that every queue must pass. */
export function describeQueue(name: string, build: () => Promise<QueueUnderTest>): void {
  describe(`queue: ${name}`, () => {
    const scenario = scenariosOf(build);
    describeOrder(scenario);
    describeFailures(scenario);
  });
}

/** What is stored, and in which order and how many at a time events are processed. */
function describeOrder(scenario: Scenario<QueueUnderTest>): void {
  scenario("stores an event before push resolves, and deletes it once it is answered", async (subject) => {
    const queue = await subject.open();
    await queue.push(said("ann", 1));
    expect(await subject.stored()).toEqual(["ann-1"]);
    const seen: string[] = [];
    await begin(queue, async (event) => void seen.push(event.id));
    await until(async () => (await subject.stored()).length === 0);
    expect(seen).toEqual(["ann-1"]);
    await queue.stop();
  });

  scenario("reports how many events wait, and since when", async (subject) => {
    const queue = await subject.open();
    expect(await queue.load()).toEqual({ events: 0 });
    await queue.push(said("ann", 1));
    await queue.push(said("bob", 2));
    expect(await queue.load()).toEqual({ events: 2, oldestAt: 1 });
    await begin(queue, async () => undefined);
    await until(async () => (await subject.stored()).length === 0);
    expect(await queue.load()).toEqual({ events: 0 });
    await queue.stop();
  });

  scenario("treats the same id twice as one event", async (subject) => {
    const queue = await subject.open();
    const seen: string[] = [];
    await Promise.all([queue.push(said("ann", 1)), queue.push(said("ann", 1))]);
    await begin(queue, async (event) => void seen.push(event.id));
    await until(async () => (await subject.stored()).length === 0);
    expect(seen).toEqual(["ann-1"]);
    await queue.stop();
  });

  scenario("limits a conversation, and its user is told in turn", async (subject) => {
    const most = MAX_WAITING.conversation;
    const first = await subject.open();
    for (let index = 0; index < most; index += 1) await first.push(said("ann", index));
    const refused = await Promise.allSettled([most, most + 1].map((index) => first.push(said("ann", index))));
    expect(refused.map((result) => result.status === "rejected" && result.reason)).toEqual(
      [1, 2].map(() => expect.objectContaining({ name: "Overflow", willBeTold: true })),
    );
    await first.push(said("bob", 0));
    await first.push(said("ann", 0));

    // As the next process finds it: what is to be told is told before anything else is taken in.
    const queue = await subject.open();
    const order: ChatEvent[] = [];
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await begin(queue, async (event) => {
      await held;
      order.push(event);
    });
    await expect(queue.push(said("ann", most + 2))).rejects.toThrow(Overflow);
    await queue.push({ ...said("ann", most + 3), command: "reset" });
    release();
    await until(async () => (await subject.stored()).length === 0);
    const seen = order.filter(({ user }) => user.id === "ann");
    const whole = Array.from({ length: most }, (_, index) => `ann-${index}`);
    expect(seen.map(({ id }) => id)).toEqual([...whole, `ann-${most}#overflow`, `ann-${most + 3}`]);
    expect(seen.map(({ overflow }) => overflow).indexOf(true)).toBe(most);
    await queue.push(said("ann", most + 2));
    await until(() => order.some(({ id }) => id === `ann-${most + 2}`));
    await queue.stop();
  });

  scenario("processes a conversation one event at a time and in order, for any traffic", async (subject) => {
    let batch = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom("ann", "bob", "cat"), { maxLength: 30 }), async (people) => {
        batch += 1;
        const events = people.map((person, index) => said(`${person}${batch}`, index));
        const queue = await subject.open();
        const order = new Map<string, string[]>();
        const busy = new Set<string>();
        await begin(queue, async ({ id, user }) => {
          expect(busy.has(user.id)).toBe(false);
          busy.add(user.id);
          await new Promise((resolve) => setImmediate(resolve));
          order.set(user.id, [...(order.get(user.id) ?? []), id]);
          busy.delete(user.id);
        });
        await Promise.all(events.map((event) => queue.push(event)));
        await until(async () => (await subject.stored()).length === 0);
        await queue.stop();
        for (const [user, ids] of order) {
          expect(ids).toEqual(events.filter((event) => event.user.id === user).map(({ id }) => id));
        }
        expect([...order.values()].flat()).toHaveLength(events.length);
      }),
      { numRuns: 15 },
    );
  });

  scenario("never makes one conversation wait for another", async (subject) => {
    const queue = await subject.open();
    const done: string[] = [];
    let release = () => {};
    const slow = new Promise<void>((resolve) => (release = resolve));
    await begin(queue, async ({ id, user }) => {
      if (user.id === "slow") await slow;
      done.push(id);
    });
    await queue.push(said("slow", 1));
    await Promise.all(Array.from({ length: 50 }, (_, index) => queue.push(said(`user${index}`, 1))));
    await until(() => done.length === 50);
    expect(done).not.toContain("slow-1");
    release();
    await until(() => done.includes("slow-1"));
    await queue.stop();
  });

  scenario("processes no more events at once than its limit", async (subject) => {
    const queue = await subject.open({ atOnce: 3 });
    let now = 0;
    let most = 0;
    let done = 0;
    await begin(queue, async () => {
      most = Math.max(most, (now += 1));
      await new Promise((resolve) => setTimeout(resolve, 2));
      now -= 1;
      done += 1;
    });
    await Promise.all(Array.from({ length: 20 }, (_, index) => queue.push(said(`user${index}`, 1))));
    await until(() => done === 20);
    expect(most).toBe(3);
    await queue.stop();
  });

  scenario("hands out again, in order, the events of a process that died", async (subject) => {
    const dead = await subject.open();
    await begin(dead, () => new Promise(() => undefined));
    for (const index of [1, 2, 3]) await dead.push(said("ann", index));
    await dead.push(said("bob", 1));
    await subject.kill(dead);
    const heir = await subject.open();
    const seen: string[] = [];
    await begin(heir, async (event) => void seen.push(event.id));
    await until(async () => (await subject.stored()).length === 0);
    expect(seen.filter((id) => id.startsWith("ann"))).toEqual(["ann-1", "ann-2", "ann-3"]);
    expect(seen).toContain("bob-1");
    await heir.stop();
  });

  scenario("retries a failed event before later ones", async (subject) => {
    const queue = await subject.open();
    const seen: string[] = [];
    await begin(queue, async ({ id }) => {
      seen.push(id);
      if (seen.length === 1) throw new Error("the first attempt fails");
    });
    await queue.push(said("ann", 1));
    await queue.push(said("ann", 2));
    await until(() => seen.length === 3);
    expect(seen).toEqual(["ann-1", "ann-1", "ann-2"]);
    await queue.stop();
  });

  scenario("an interrupting event stops earlier ones, and only those", async (subject) => {
    const queue = await subject.open();
    const ended: string[] = [];
    await begin(queue, async ({ id, command }, signals) => {
      if (command === undefined) await aborted(signals);
      ended.push(`${id}${signals.interrupted.aborted ? " interrupted" : ""}`);
    });
    await queue.push(said("ann", 1));
    await queue.push(said("ann", 2));
    await queue.push(said("bob", 1));
    await queue.push({ ...said("ann", 3), command: "reset" });
    await until(() => ended.length === 3);
    expect(ended).toEqual(["ann-1 interrupted", "ann-2 interrupted", "ann-3"]);
    const stopping = queue.stop();
    await stopping;
    expect(ended).toContain("bob-1");
  });

  scenario("requeues events that outlast the grace period when it stops", async (subject) => {
    const queue = await subject.open();
    let reason: unknown;
    let begun = false;
    await begin(queue, async (_, { requeued }) => {
      begun = true;
      await new Promise<void>((resolve) => requeued.addEventListener("abort", () => resolve()));
      reason = requeued.reason;
      throw requeued.reason;
    });
    await queue.push(said("ann", 1));
    await until(() => begun);
    await queue.stop();
    expect(reason).toBeInstanceOf(Requeued);
    expect(await subject.stored()).toEqual(["ann-1"]);
  });
}

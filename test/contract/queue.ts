import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Parked } from "../../src/errors.ts";
import type { ChatEvent } from "../../src/event.ts";
import type { Queue, Signals } from "../../src/queue/queue.ts";
import { until } from "../support/until.ts";

/** One place where events are kept; `open` gives a queue over it, as a process does when it starts. */
export interface QueueHouse {
  /** `/reset` interrupts; at most `atOnce` (default 100) run at once. */
  open(options?: { atOnce?: number }): Promise<Queue>;
  /** What is stored, as ids. */
  stored(): Promise<string[]>;
  close(): Promise<void>;
}

/** The contract that every queue keeps. */
export function describeQueue(name: string, build: () => Promise<QueueHouse>): void {
  describe(`queue: ${name}`, () => {
    const scenario = (title: string, run: (house: QueueHouse) => Promise<void>) =>
      test(title, async () => {
        const house = await build();
        try {
          await run(house);
        } finally {
          await house.close();
        }
      });

    scenario("stores before push resolves, and forgets what is answered", async (house) => {
      const queue = await house.open();
      await queue.push(said("ann", 1));
      expect(await house.stored()).toEqual(["ann-1"]);
      const seen: string[] = [];
      await queue.start(async (event) => void seen.push(event.id));
      await until(async () => (await house.stored()).length === 0);
      expect(seen).toEqual(["ann-1"]);
      await queue.stop();
    });

    scenario("takes the same id twice as one event", async (house) => {
      const queue = await house.open();
      const seen: string[] = [];
      await Promise.all([queue.push(said("ann", 1)), queue.push(said("ann", 1))]);
      await queue.start(async (event) => void seen.push(event.id));
      await until(async () => (await house.stored()).length === 0);
      expect(seen).toEqual(["ann-1"]);
      await queue.stop();
    });

    scenario("works on one conversation one at a time and in order, for any traffic", async (house) => {
      let batch = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.constantFrom("ann", "bob", "cat"), { maxLength: 30 }),
          async (people) => {
            batch += 1;
            const events = people.map((person, index) => said(`${person}${batch}`, index));
            const queue = await house.open();
            const order = new Map<string, string[]>();
            const busy = new Set<string>();
            await queue.start(async ({ id, user }) => {
              expect(busy.has(user.id)).toBe(false);
              busy.add(user.id);
              await new Promise((resolve) => setImmediate(resolve));
              order.set(user.id, [...(order.get(user.id) ?? []), id]);
              busy.delete(user.id);
            });
            await Promise.all(events.map((event) => queue.push(event)));
            await until(async () => (await house.stored()).length === 0);
            await queue.stop();
            for (const [user, ids] of order) {
              expect(ids).toEqual(events.filter((event) => event.user.id === user).map(({ id }) => id));
            }
            expect([...order.values()].flat()).toHaveLength(events.length);
          },
        ),
        { numRuns: 15 },
      );
    });

    scenario("lets no conversation wait for another", async (house) => {
      const queue = await house.open();
      const done: string[] = [];
      let release = () => {};
      const slow = new Promise<void>((resolve) => (release = resolve));
      await queue.start(async ({ id, user }) => {
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

    scenario("works on no more than its limit at once", async (house) => {
      const queue = await house.open({ atOnce: 3 });
      let now = 0;
      let most = 0;
      let done = 0;
      await queue.start(async () => {
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

    scenario("hands out again, in order, what a dead process left", async (house) => {
      const dead = await house.open();
      await dead.start(() => new Promise(() => undefined));
      for (const index of [1, 2, 3]) await dead.push(said("ann", index));
      await dead.push(said("bob", 1));
      const heir = await house.open();
      const seen: string[] = [];
      await heir.start(async (event) => void seen.push(event.id));
      await until(async () => (await house.stored()).length === 0);
      expect(seen.filter((id) => id.startsWith("ann"))).toEqual(["ann-1", "ann-2", "ann-3"]);
      expect(seen).toContain("bob-1");
      await heir.stop();
    });

    scenario("tries again what failed, before what came later", async (house) => {
      const queue = await house.open();
      const seen: string[] = [];
      await queue.start(async ({ id }) => {
        seen.push(id);
        if (seen.length === 1) throw new Error("the first attempt fails");
      });
      await queue.push(said("ann", 1));
      await queue.push(said("ann", 2));
      await until(() => seen.length === 3);
      expect(seen).toEqual(["ann-1", "ann-1", "ann-2"]);
      await queue.stop();
    });

    scenario("an interrupting event stops what came before it, and only that", async (house) => {
      const queue = await house.open();
      const ended: string[] = [];
      await queue.start(async ({ id, command }, signals) => {
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

    scenario("parks what runs on when it stops, and keeps it", async (house) => {
      const queue = await house.open();
      let reason: unknown;
      await queue.start(async (_, { parked }) => {
        await new Promise<void>((resolve) => parked.addEventListener("abort", () => resolve()));
        reason = parked.reason;
        throw parked.reason;
      });
      await queue.push(said("ann", 1));
      await queue.stop();
      expect(reason).toBeInstanceOf(Parked);
      expect(await house.stored()).toEqual(["ann-1"]);
    });
  });
}

function said(user: string, index: number): ChatEvent {
  return {
    id: `${user}-${index}`,
    platform: "paper",
    user: { id: user },
    chat: { id: user, kind: "direct" },
    to: {},
    text: `message ${index}`,
    at: index,
  };
}

function aborted({ interrupted, parked }: Signals): Promise<void> {
  const signal = AbortSignal.any([interrupted, parked]);
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

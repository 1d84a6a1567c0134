import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Overflow, Requeued, PlatformError, StoreError } from "../../errors.ts";
import type { ChatEvent } from "../../event.ts";
import type { DeadLetters } from "../../queue/dead.ts";
import { MAX_ATTEMPTS, MAX_WAITING, type Queue, type Signals, type Worker } from "../../queue/queue.ts";
import { until } from "../until.ts";

/** A database; `open` opens a queue on it, as a process does when it starts. */
export interface QueueUnderTest {
  /** `/reset` interrupts; at most `atOnce` (default 100) run at once. */
  open(options?: { atOnce?: number }): Promise<Queue>;
  /** Kills the queue as the death of its process would: nothing it was processing goes on. */
  kill(queue: Queue): Promise<void>;
  /** Where the queue puts events that it gives up. */
  readonly dead: DeadLetters;
  /** The ids of the stored events. */
  stored(): Promise<string[]>;
  close(): Promise<void>;
}

/** Declares the tests that every queue must pass. */
export function describeQueue(name: string, build: () => Promise<QueueUnderTest>): void {
  describe(`queue: ${name}`, () => {
    const scenario = (title: string, run: (subject: QueueUnderTest) => Promise<void>) =>
      test(title, async () => {
        const subject = await build();
        try {
          await run(subject);
        } finally {
          await subject.close();
        }
      });

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
      const refused = await Promise.allSettled(
        [most, most + 1].map((index) => first.push(said("ann", index))),
      );
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

    scenario(
      "processes a conversation one event at a time and in order, for any traffic",
      async (subject) => {
        let batch = 0;
        await fc.assert(
          fc.asyncProperty(
            fc.array(fc.constantFrom("ann", "bob", "cat"), { maxLength: 30 }),
            async (people) => {
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
            },
          ),
          { numRuns: 15 },
        );
      },
    );

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
      await begin(queue, async (_, { requeued: parked }) => {
        begun = true;
        await new Promise<void>((resolve) => parked.addEventListener("abort", () => resolve()));
        reason = parked.reason;
        throw parked.reason;
      });
      await queue.push(said("ann", 1));
      await until(() => begun);
      await queue.stop();
      expect(reason).toBeInstanceOf(Requeued);
      expect(await subject.stored()).toEqual(["ann-1"]);
    });

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
      const park = async (_: ChatEvent, { requeued: parked }: Signals) => {
        await aborted({ requeued: parked, interrupted: parked });
        throw parked.reason;
      };
      for (let run = 0; run <= MAX_ATTEMPTS; run += 1) {
        const queue = await subject.open();
        await begin(queue, park);
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
  });
}

/** Work that may fail, by someone who has no last words. */
function begin(queue: Queue, work: Worker["work"]): Promise<void> {
  return queue.start({ work, giveUp: async () => undefined });
}

/** As far as the process comes that is killed in the midst of it. */
function forEver(): Promise<never> {
  return new Promise(() => undefined);
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

function aborted({ interrupted, requeued: parked }: Signals): Promise<void> {
  const signal = AbortSignal.any([interrupted, parked]);
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

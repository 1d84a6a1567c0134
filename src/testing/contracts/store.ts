import fc from "fast-check";
import { describe, expect } from "vitest";
import { openHistory } from "../../conversation/conversation.ts";
import type { Store } from "../../store/store.ts";
import { scenariosOf } from "./scenario.ts";

/** A database; `open` opens a store on it, as a process does when it starts. */
export interface StoreUnderTest {
  open(): Promise<Store>;
  close(): Promise<void>;
}

/** Declares the tests that every persistent store must pass. */
export function describeStore(name: string, build: () => Promise<StoreUnderTest>): void {
  describe(`store: ${name}`, () => {
    const scenario = scenariosOf(build);

    scenario("returns any value that was set, also after it is opened again", async (subject) => {
      const first = await subject.open();
      const keyv = await first.open("history");
      const kept = new Map<string, unknown>();
      await fc.assert(
        fc.asyncProperty(key(), fc.jsonValue(), async (key, value) => {
          await keyv.set(key, value);
          kept.set(key, value);
          expect(await keyv.get(key)).toEqual(plain(value));
        }),
        { numRuns: 60 },
      );
      await first.close();
      const second = await subject.open();
      const found = new Map<string, unknown>();
      for await (const [key, value] of (await second.open("history")).iterator?.({}) ?? [])
        found.set(String(key), value);
      expect(found).toEqual(new Map([...kept].map(([key, value]) => [key, plain(value)])));
      await second.close();
    });

    scenario("returns undefined for a missing key", async (subject) => {
      const store = await subject.open();
      const keyv = await store.open("history");
      expect(await keyv.get("nobody")).toBeUndefined();
      expect(await keyv.delete("nobody")).toBe(false);
      await keyv.set("ann", 1);
      expect(await keyv.delete("ann")).toBe(true);
      expect(await keyv.get("ann")).toBeUndefined();
      await store.close();
    });

    scenario(
      "keeps names apart, those too that differ in case or in a sign that means any",
      async (subject) => {
        const store = await subject.open();
        const names = ["history", "queue"];
        const keys = ["chat_1", "chatX1", "CHAT_1", "chat%", "chat"];
        for (const name of names)
          for (const key of keys) await (await store.open(name)).set(key, `${name} ${key}`);
        await (await store.open("queue")).delete("chat_1");
        const found = new Set<string>();
        for await (const [key, value] of (await store.open("queue")).iterator?.({}) ?? [])
          found.add(`${key}: ${value}`);
        expect(found).toEqual(new Set(keys.slice(1).map((key) => `${key}: queue ${key}`)));
        expect(await (await store.open("history")).get("chat_1")).toBe("history chat_1");
        await store.close();
      },
    );

    scenario("lists the keys with a prefix, in order", async (subject) => {
      const store = await subject.open();
      const keyv = await store.open("history");
      const keys = [
        "console:Ann",
        "console:ann",
        "console:ann:",
        "console:ann::b",
        "console:ann_x",
        "console:ann%",
      ];
      const others = ["console", "consol:ann", "CONSOLE:ann", "web:ann", "conſole:ann"];
      for (const key of [...keys, ...others].reverse()) await keyv.set(key, 1);
      expect(await store.keys("history", "console:")).toEqual(keys.toSorted());
      expect(await store.keys("history", "console:ann:")).toEqual(["console:ann:", "console:ann::b"]);
      expect(await store.keys("history", "console:ann_")).toEqual(["console:ann_x"]);
      expect(await store.keys("history", "nobody")).toEqual([]);
      expect(await store.keys("queue", "console:")).toEqual([]);
      await fc.assert(
        fc.asyncProperty(key(), fc.nat(5), async (key, length) => {
          await keyv.set(key, 1);
          expect(await store.keys("history", Array.from(key).slice(0, length).join(""))).toContain(key);
        }),
        { numRuns: 30 },
      );
      await store.close();
    });

    scenario("iterates over more records than one batch", async (subject) => {
      const store = await subject.open();
      const keyv = await store.open("history");
      const keys = Array.from({ length: 1200 }, (_, index) => `key ${index}`);
      await Promise.all(keys.map((key) => keyv.set(key, key)));
      const found: string[] = [];
      for await (const [key] of keyv.iterator?.({}) ?? []) found.push(String(key));
      expect(found.sort()).toEqual(keys.sort());
      await store.close();
    });

    scenario("stores a record of the largest size", async (subject) => {
      const store = await subject.open();
      const keyv = await store.open("history");
      const text = "多".repeat(400_000);
      await keyv.set("ann", { text });
      expect(await keyv.get("ann")).toEqual({ text });
      await store.close();
    });

    scenario("stores conversations", async (subject) => {
      const first = await subject.open();
      const history = await openHistory(first);
      const conversation = await history.load("paper:ann");
      const messages = [{ role: "user" as const, content: "hello \0 \u{1F600}", at: 1 }];
      await history.save({ ...conversation, messages });
      await first.close();
      const second = await subject.open();
      const loaded = await (await openHistory(second)).load("paper:ann");
      expect(loaded.messages).toEqual(messages);
      await second.close();
    });

    scenario("passes its own check", async (subject) => {
      const store = await subject.open();
      await Promise.all([store.check(), store.check()]);
      await store.close();
    });
  });
}

/** As ids of strangers may be. */
function key(): fc.Arbitrary<string> {
  const odd = fc.constantFrom("\0", "\\", "\\0", "%", "_", "'", '"', ":", "\n");
  const unit = fc.oneof(fc.string({ minLength: 1, maxLength: 1, unit: "grapheme" }), odd);
  return fc.oneof(fc.string({ minLength: 1, unit }), fc.string({ minLength: 300, maxLength: 400, unit }));
}

/** JSON knows no -0. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

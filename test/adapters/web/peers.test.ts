import fc from "fast-check";
import { expect, test } from "vitest";
import type { News } from "../../../adapters/web/conversations/news.ts";
import { createPeers } from "../../../adapters/web/conversations/peers.ts";

/** Postgres takes fewer than 8,000 bytes at once (its manual, NOTIFY); the topic and the sender want some of them. */
const MAX_BYTES = 7_500;

function shown(add: string): News {
  return { kind: "shown", thread: "main", turn: "000001700000000-aaaaaaaa", ref: "a", keep: 0, of: 0, add };
}

/** What one process tells, as it goes over; `lose` says which parts do not. */
async function telling(all: readonly News[], lose: (index: number) => boolean = () => false) {
  const heard: News[] = [];
  const there = createPeers({ hear: (_, news) => heard.push(news) });
  const here = createPeers({ hear: () => undefined });
  const parts: string[] = [];
  here.connect(async (what) => {
    const part = JSON.stringify(what);
    if (!lose(parts.push(part) - 1)) there.receive(JSON.parse(part));
  });
  for (const news of all) here.publish("ann", news);
  for (let had = -1; had < parts.length; await new Promise(setImmediate)) had = parts.length;
  return { heard, parts };
}

test("news of any length come whole and in order, in parts that are short in bytes", async () => {
  const text = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({
      unit: fc.constantFrom("中", '"', "\\", "\n", "😀", "\ud83d", "<p>"),
      maxLength: 9_000,
      size: "max",
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 4 }), async (texts) => {
      const all = texts.map(shown);
      const { heard, parts } = await telling(all);
      expect(heard).toEqual(all);
      for (const part of parts) expect(Buffer.byteLength(part)).toBeLessThan(MAX_BYTES);
    }),
  );
});

test("what another version tells is passed over", () => {
  const heard: News[] = [];
  const { receive } = createPeers({ hear: (_, news) => heard.push(news) });
  const tell = (text: string) => receive({ from: "a", at: 0, text, of: text.length });
  receive({ user: "ann", news: shown("old") });
  receive("nonsense");
  tell(JSON.stringify({ user: "ann", news: { kind: "new" } }));
  tell(JSON.stringify({ user: "ann", news: shown("known") }));
  expect(heard).toEqual([shown("known")]);
});

test("news of which a part is lost are not heard at all, and those after them are", async () => {
  const all = ["a".repeat(5_000), "b".repeat(5_000), "c"].map(shown);
  for (const [lost, missed] of [
    [0, 0],
    [1, 0],
    [2, 0],
    [3, 1],
    [5, 1],
    [6, 2],
  ] as const) {
    const { heard, parts } = await telling(all, (index) => index === lost);
    expect(parts).toHaveLength(7);
    expect(heard).toEqual(all.filter((_, index) => index !== missed));
  }
});

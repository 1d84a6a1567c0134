import fc from "fast-check";
import { expect, test } from "vitest";
import { createPubSub } from "../../../adapters/web/conversations/pub-sub.ts";
import type { Update } from "../../../adapters/web/conversations/updates.ts";

/** A Postgres notification must be shorter than 8,000 bytes (its manual, NOTIFY); topic and sender need some of them. */
const MAX_BYTES = 7_500;

function shown(add: string): Update {
  return { kind: "shown", thread: "main", turn: "000001700000000-aaaaaaaa", ref: "a", keep: 0, of: 0, add };
}

/** What one process publishes and another receives; `isLost` says which chunks do not arrive. */
async function publishAll(updates: readonly Update[], isLost: (index: number) => boolean = () => false) {
  const received: Update[] = [];
  const there = createPubSub({ onUpdate: (_, update) => received.push(update) });
  const here = createPubSub({ onUpdate: () => undefined });
  const chunks: string[] = [];
  here.connect(async (message) => {
    const chunk = JSON.stringify(message);
    if (!isLost(chunks.push(chunk) - 1)) there.receive(JSON.parse(chunk));
  });
  for (const update of updates) here.publish("ann", update);
  for (let before = -1; before < chunks.length; await new Promise(setImmediate)) before = chunks.length;
  return { received, chunks };
}

test("updates of any length arrive whole and in order, in short chunks", async () => {
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
      const { received, chunks } = await publishAll(all);
      expect(received).toEqual(all);
      for (const chunk of chunks) expect(Buffer.byteLength(chunk)).toBeLessThan(MAX_BYTES);
    }),
  );
});

test("unknown messages of another version are ignored", () => {
  const received: Update[] = [];
  const { receive } = createPubSub({ onUpdate: (_, update) => received.push(update) });
  const deliver = (text: string) => receive({ from: "a", at: 0, text, of: text.length });
  receive({ user: "ann", news: shown("old") });
  receive("nonsense");
  deliver(JSON.stringify({ user: "ann", news: { kind: "new" } }));
  deliver(JSON.stringify({ user: "ann", news: shown("known") }));
  expect(received).toEqual([shown("known")]);
});

test("an update of which a chunk is lost is not received at all, and those after it are", async () => {
  const all = ["a".repeat(5_000), "b".repeat(5_000), "c"].map(shown);
  for (const [lost, missed] of [
    [0, 0],
    [1, 0],
    [2, 0],
    [3, 1],
    [5, 1],
    [6, 2],
  ] as const) {
    const { received, chunks } = await publishAll(all, (index) => index === lost);
    expect(chunks).toHaveLength(7);
    expect(received).toEqual(all.filter((_, index) => index !== missed));
  }
});

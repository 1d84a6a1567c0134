import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fetchImages, inWords, newestImages } from "../../src/model/images.ts";
import type { Message } from "../../src/model/model.ts";
import { runs } from "../support/runs.ts";

const messages = fc.array(
  fc.record({
    role: fc.constant("user" as const),
    content: fc.constantFrom("", "look"),
    images: fc.option(fc.array(fc.uuid(), { maxLength: 6 }), { nil: undefined }),
  }),
  { maxLength: 8 },
);

test("the newest eight images go along, and every other one is told of in words", () => {
  fc.assert(
    fc.property(messages, (all) => {
      const sent = newestImages(all);
      const given = all.flatMap(({ images = [] }) => images);
      expect(sent.flatMap(({ images = [] }) => images)).toEqual(given.slice(-8));
      expect(sent.map(inWords)).toEqual(all.map(inWords));
    }),
    { numRuns: runs(70) },
  );
});

test("what cannot be had is told of in words", async () => {
  const asked: Message = { role: "user", content: "compare", images: ["a", "b", "c"] };
  const found = await fetchImages([{ role: "assistant", content: "yes" }, asked], async (ref) =>
    ref === "b" ? undefined : `data:${ref}`,
  );
  expect(found).toEqual([
    { role: "assistant", content: "yes" },
    { role: "user", content: "compare\n[image]", images: ["data:a", "data:c"] },
  ]);
});

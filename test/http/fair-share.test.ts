import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createFairShare } from "../../src/http/fair-share.ts";

test("of what comes at once a few begin in each turn of the event loop, in order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 10 }), async (arrivals) => {
      const share = createFairShare(4);
      const begun: number[] = [];
      let asked = 0;
      for (const count of arrivals) {
        const before = begun.length;
        for (let index = 0; index < count; index += 1) {
          const number = asked++;
          const wait = share();
          if (wait) void wait.then(() => begun.push(number));
          else begun.push(number);
        }
        await turn();
        // Those of the turn that ends, and of the one that begins.
        expect(begun.length - before).toBeLessThanOrEqual(8);
      }
      while (begun.length < asked) await turn();
      expect(begun).toEqual(Array.from({ length: asked }, (_, index) => index));
    }),
    { numRuns: 50 },
  );
});

test("what comes alone begins at once", async () => {
  const share = createFairShare(4);
  for (let index = 0; index < 10; index += 1) {
    expect(share()).toBeUndefined();
    await turn();
  }
});

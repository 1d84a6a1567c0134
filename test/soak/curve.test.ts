import { expect, test } from "vitest";
import { judge, type Sample } from "./curve.ts";

function curve(resident: (turns: number) => number): Sample[] {
  return Array.from({ length: 50 }, (_, index) => {
    const turns = (index + 1) * 100;
    return { turns, at: turns, resident: resident(turns), heap: 50, handles: 40, store: turns };
  });
}

test("a curve that only rises while it warms up is flat", () => {
  expect(judge(curve((turns) => Math.min(turns, 1000) + (turns % 200))).grown).toEqual([]);
});

test("a curve that rises to its end has grown, and so has one that cannot be told", () => {
  expect(judge(curve((turns) => 5000 + turns)).grown).toEqual(["resident"]);
  expect(judge([]).grown).toEqual(["resident", "heap", "handles"]);
});

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createThoughtFilter } from "../../src/model/reasoning.ts";
import { runs } from "../support/runs.ts";

test.each([
  ["an answer", "an answer"],
  ["<think>why</think>because", "because"],
  ["\n <think>why</think>\n\n because", "because"],
  ["<THINKING>why </think> so</Thinking> because", "because"],
  ["<think>one</think>\n<think>two</think>\nbecause", "because"],
  ["<think></think>because <think>this</think> stays", "because <think>this</think> stays"],
  ["```html\n<think>code</think>\n```", "```html\n<think>code</think>\n```"],
  ["  indented", "  indented"],
  ["<thin", "<thin"],
  ["<thinker>is a word", "<thinker>is a word"],
  ["<think>never closed", ""],
  ["<think>closed, then nothing</think>\n", ""],
  ["<think>a </thin < k></think >x</think>y", "y"],
  ["", ""],
])("%j shows %j, however it is cut", (written, shown) => {
  fc.assert(
    fc.property(fc.array(fc.nat(written.length)), (cuts) => {
      expect(filter(split(written, cuts))).toBe(shown);
    }),
    { numRuns: runs(70) },
  );
});

test("any thought is hidden and any answer shown, however they are cut", () => {
  const thought = fc.string({ unit: "grapheme" }).filter((text) => !/<\/think/i.test(text));
  const answer = fc.string({ unit: "grapheme" }).map((text) => `A${text}`);
  fc.assert(
    fc.property(thought, answer, fc.array(fc.nat(60)), (thought, answer, cuts) => {
      expect(filter(split(`<think>${thought}</think>\n\n${answer}`, cuts))).toBe(answer);
      expect(filter(split(answer, cuts))).toBe(answer);
    }),
  );
});

test("shows an answer at once when it can be none other", () => {
  const thoughts = createThoughtFilter();
  expect(thoughts.push("<th")).toBe("");
  expect(thoughts.push("e ")).toBe("<the ");
  expect(thoughts.push("<think>")).toBe("<think>");
});

function filter(pieces: readonly string[]): string {
  const thoughts = createThoughtFilter();
  return pieces.map((piece) => thoughts.push(piece)).join("") + thoughts.end();
}

function split(text: string, cuts: readonly number[]): string[] {
  const ends = [...new Set([...cuts, text.length])].sort((a, b) => a - b);
  return ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end));
}

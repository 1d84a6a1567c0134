import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { wrapLine } from "../../../adapters/console/wrap.ts";
import { displayWidth } from "../../../src/text/dialect/width.ts";
import { runs } from "../../support/runs.ts";

function wrap(text: string, columns: number, at: "words" | "anywhere" = "words"): string[] {
  return wrapLine(text, columns, at).map(({ start, end }) => text.slice(start, end));
}

describe("rows", () => {
  test("end between words, and their spaces vanish there", () => {
    expect(wrap("  some words  and more ", 10)).toEqual(["some words", "and more"]);
    expect(wrap("some  words", 11)).toEqual(["some  words"]);
    expect(wrap("", 10)).toEqual([""]);
    expect(wrap("   ", 10)).toEqual([""]);
  });

  test("cut a word that is wider than any", () => {
    expect(wrap("a abcdefghijklm b", 10)).toEqual(["a", "abcdefghij", "klm b"]);
  });

  test("are as wide as what is seen: Chinese and emoji take two columns, marks none", () => {
    expect(wrap("汉字汉字汉字", 8)).toEqual(["汉字汉字", "汉字"]);
    expect(wrap("👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 4)).toEqual(["👩‍👩‍👧‍👦👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦"]);
    expect(wrap("e\u0301e\u0301e\u0301", 2)).toEqual(["e\u0301e\u0301", "e\u0301"]);
    expect(wrap("Привет", 3)).toEqual(["При", "вет"]);
  });

  test("end anywhere in Chinese, but do not begin with its punctuation", () => {
    expect(wrap("我们说汉语。你呢", 10)).toEqual(["我们说汉", "语。你呢"]);
    expect(wrap("我们（说汉语）", 6)).toEqual(["我们", "（说汉", "语）"]);
    expect(wrap("用 Python3 写代码", 10)).toEqual(["用 Python3", "写代码"]);
  });

  test("end anywhere where spaces count", () => {
    expect(wrap("  a b   c", 4, "anywhere")).toEqual(["  a ", "b   ", "c"]);
  });

  const character = fc.constantFrom(
    "a",
    "b",
    " ",
    "  ",
    "漢",
    "。",
    "（",
    "“",
    "é",
    "e\u0301",
    "Я",
    "한",
    "👍🏽",
    "🇩🇪",
    "\u200b",
    "ไ",
    "🙂",
    "-",
  );
  const line = fc.oneof(
    fc.string({ unit: character, maxLength: 60 }),
    fc.string({ unit: "binary", maxLength: 40 }),
  );

  test.each(["words", "anywhere"] as const)("are never too wide, and lose nothing but spaces: %s", (at) => {
    fc.assert(
      fc.property(line, fc.integer({ min: 4, max: 20 }), (text, columns) => {
        const rows = wrap(text, columns, at);
        for (const row of rows) expect(displayWidth(row)).toBeLessThanOrEqual(columns);
        const all = (said: string) => (at === "words" ? said.replaceAll(" ", "") : said);
        expect(all(rows.join(""))).toBe(all(text));
      }),
      { numRuns: runs(350) },
    );
  });
});

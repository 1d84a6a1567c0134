import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readTex } from "../../src/text/parse/tex.ts";

describe("a formula as a line of text", () => {
  test.each([
    ["x^2 + y_1", "x² + y₁"],
    ["E = mc^2", "E = mc²"],
    ["\\frac{a}{b}", "a/b"],
    ["\\frac12", "1/2"],
    ["x = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}", "x = (−b ± √(b² − 4ac))/(2a)"],
    ["\\sum_{i=0}^{n} i^2", "∑ᵢ₌₀ⁿ i²"],
    ["\\lim_{n\\to\\infty} \\sin\\theta", "lim_(n→∞) sin θ"],
    ["e^{i\\pi} + 1 = 0", "e^(iπ) + 1 = 0"],
    ["f\\colon A\\to B", "f: A → B"],
    ["x \\in \\mathbb{R}^n", "x ∈ ℝⁿ"],
    ["\\left( \\frac{1}{x} \\right)", "( 1/x )"],
    ["v = \\text{speed of light}", "v = speed of light"],
    ["\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}", "(a b; c d)"],
    ["\\begin{aligned} a &= b \\\\ &= c \\end{aligned}", "a = b\n= c"],
    ["90^\\circ \\hat{x} f''(x) \\sqrt[3]{2}", "90° x̂ f′′(x) ∛2"],
    ["\\binom{n}{k} \\not= 0", "C(n, k) ≠ 0"],
    ["\\unknown{x} \\{1, 2\\}", "\\unknown{x} {1, 2}"],
  ])("%s", (tex, text) => {
    expect(readTex(tex).normalize("NFC")).toBe(text.normalize("NFC"));
  });

  test("loses no letter, whatever is written, and never throws", () => {
    const piece = fc.constantFrom(
      "\\frac ",
      "\\sqrt ",
      "{",
      "}",
      "[",
      "]",
      "^",
      "_",
      "\\begin{x}",
      "\\end{x}",
      "a",
      "1",
      " ",
      "&",
      "\\\\",
      "\\hat ",
      "漢",
      "👍🏽",
    );
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 60 }), (parts) => {
        const tex = `${parts.join("")} 1`;
        const letters = (text: string) => text.normalize("NFKD").replace(/[^a1漢👍]/gu, "");
        expect(letters(readTex(tex))).toBe(letters(tex.replaceAll(/\\(?:begin|hat|frac)/g, "")));
      }),
    );
  });

  test("is shown as it was written if it is very long, or deeper than anyone writes", () => {
    expect(readTex(`x^${"2".repeat(3000)}`)).toContain("x^2");
    expect(readTex(`${"{".repeat(500)}x${"}".repeat(500)}`)).toContain("x");
  });
});

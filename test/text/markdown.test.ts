import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Block, Span } from "../../src/text/block.ts";
import { parseMarkdown } from "../../src/text/parse/markdown.ts";
import { runs } from "../support/runs.ts";

function spansOf(text: string): readonly Span[] {
  const [block] = parseMarkdown(text);
  expect(block?.type).toBe("paragraph");
  return block?.type === "paragraph" ? block.spans : [];
}

function paragraph(text: string): Block {
  return { type: "paragraph", spans: [{ text }] };
}

describe("blocks", () => {
  test("paragraphs and breaks", () => {
    expect(parseMarkdown("a\nb  \nc\\\nd\n\ne")).toEqual([paragraph("a\nb\nc\nd"), paragraph("e")]);
  });

  test("headings", () => {
    expect(parseMarkdown("# a\n###### b ##")).toEqual([
      { type: "heading", level: 1, spans: [{ text: "a" }] },
      { type: "heading", level: 6, spans: [{ text: "b" }] },
    ]);
  });

  test("code", () => {
    expect(parseMarkdown("```js x\nlet a;\n\n  b\n```")).toEqual([
      { type: "code", language: "js", text: "let a;\n\n  b" },
    ]);
    expect(parseMarkdown("```Hello")).toEqual([{ type: "code", language: "", text: "Hello" }]);
    expect(parseMarkdown("~~~\nopen")).toEqual([{ type: "code", language: "", text: "open" }]);
    expect(parseMarkdown("    in\n\n    dented")).toEqual([
      { type: "code", language: "", text: "in\n\ndented" },
    ]);
  });

  test("quotes", () => {
    expect(parseMarkdown("> a\n> > b")).toEqual([
      { type: "quote", blocks: [paragraph("a"), { type: "quote", blocks: [paragraph("b")] }] },
    ]);
  });

  test("lists, tight and loose alike", () => {
    const tight = parseMarkdown("1. a\n   - b\n   - c\n2. d");
    expect(tight).toEqual([
      {
        type: "list",
        start: 1,
        items: [
          {
            blocks: [
              paragraph("a"),
              { type: "list", items: [{ blocks: [paragraph("b")] }, { blocks: [paragraph("c")] }] },
            ],
          },
          { blocks: [paragraph("d")] },
        ],
      },
    ]);
    expect(parseMarkdown("1. a\n\n   - b\n\n   - c\n\n2. d")).toEqual(tight);
    expect(parseMarkdown("7) a")).toMatchObject([{ start: 7 }]);
  });

  test("tasks", () => {
    expect(parseMarkdown("- [ ] a\n- [x] **b**\n- [y] c")).toEqual([
      {
        type: "list",
        items: [
          { checked: false, blocks: [paragraph("a")] },
          { checked: true, blocks: [{ type: "paragraph", spans: [{ text: "b", styles: ["bold"] }] }] },
          { blocks: [paragraph("[y] c")] },
        ],
      },
    ]);
  });

  test("tables, with the cells that the head does not have", () => {
    expect(parseMarkdown("| a | b |\n|:-|-:|\n| 1 |\n| `x || y` | 2 |")).toMatchObject([
      {
        type: "table",
        align: ["left", "right"],
        head: [[{ text: "a" }], [{ text: "b" }]],
        rows: [
          [[{ text: "1" }], []],
          [[{ text: "`x" }], [{ text: "| y` | 2" }]],
        ],
      },
    ]);
  });

  test("underlined headings, unless they are too long to be any, and rules", () => {
    const long = "word ".repeat(120).trim();
    expect(parseMarkdown(`a\n---\nb\nc\n===\n\n---\n${long}\n---`)).toEqual([
      { type: "heading", level: 2, spans: [{ text: "a" }] },
      { type: "heading", level: 1, spans: [{ text: "b\nc" }] },
      { type: "rule" },
      paragraph(long),
      { type: "rule" },
    ]);
  });

  test("footnotes stand where they were written, behind their numbers", () => {
    expect(parseMarkdown("a[^1] [^b] [^c-d]\n\n[^1]: One\ntwo\n\n    three\n[^b]: - x")).toEqual([
      paragraph("a[1] [b] [^c-d]"),
      paragraph("[1] One\ntwo"),
      paragraph("three"),
      paragraph("[b] "),
      { type: "list", items: [{ blocks: [paragraph("x")] }] },
    ]);
  });
});

describe("spans", () => {
  test("styles within each other", () => {
    expect(spansOf("**a *b*** ~~c~~ ||d|| `e` ***f***")).toEqual([
      { text: "a ", styles: ["bold"] },
      { text: "b", styles: ["bold", "italic"] },
      { text: " " },
      { text: "c", styles: ["strike"] },
      { text: " " },
      { text: "d", styles: ["spoiler"] },
      { text: " " },
      { text: "e", styles: ["code"] },
      { text: " " },
      { text: "f", styles: ["italic", "bold"] },
    ]);
  });

  test("bold beside Chinese punctuation", () => {
    expect(spansOf("这是**重点：**内容")[1]).toEqual({ text: "重点：", styles: ["bold"] });
  });

  test("links, addresses and images", () => {
    expect(spansOf("[a **b**](http://x.y)")).toEqual([
      { text: "a ", href: "http://x.y" },
      { text: "b", styles: ["bold"], href: "http://x.y" },
    ]);
    expect(spansOf("https://x.y/a_b_c, www.x.org, main.py")).toEqual([
      { text: "https://x.y/a_b_c", href: "https://x.y/a_b_c" },
      { text: ", " },
      { text: "www.x.org", href: "http://www.x.org" },
      { text: ", main.py" },
    ]);
    expect(spansOf("![alt](http://x.y)")).toEqual([{ text: "alt", href: "http://x.y" }]);
    expect(spansOf("![](http://x.y)")).toEqual([{ text: "http://x.y", href: "http://x.y" }]);
    expect(spansOf("[](http://x.y)")).toEqual([{ text: "http://x.y", href: "http://x.y" }]);
  });

  test("an address too long for any page is text", () => {
    const href = `http://x.y/${"z".repeat(2000)}`;
    expect(spansOf(`[a](${href})`)).toEqual([{ text: `a (${href})` }]);
  });

  test("what only looks like a mark", () => {
    expect(spansOf("5 * 3 * 2, snake_case_name, a || b || c, $5 and $6, 1 < 2 & 3")).toEqual([
      { text: "5 * 3 * 2, snake_case_name, a || b || c, $5 and $6, 1 < 2 & 3" },
    ]);
  });

  test("HTML is text, character references are what they stand for", () => {
    expect(spansOf("<p>x</p> <!-- y --> <b> &amp; &lt; &copy; &nope;")).toEqual([
      { text: "<p>x</p> <!-- y --> <b> & < © &nope;" },
    ]);
  });

  test("but for the tags that models write where Markdown has no mark", () => {
    expect(spansOf("a <br>\n b <b>c *d*</b> H<sub>2</sub>O <kbd>Ctrl</kbd> e<sup>?</sup> <u>f</u>")).toEqual([
      { text: "a\nb " },
      { text: "c ", styles: ["bold"] },
      { text: "d", styles: ["bold", "italic"] },
      { text: " H₂O " },
      { text: "Ctrl", styles: ["code"] },
      { text: " e^? f" },
    ]);
    expect(parseMarkdown("|a|\n|-|\n|b<br>c|")).toMatchObject([{ rows: [[[{ text: "b; c" }]]] }]);
  });

  test("references lead where they are defined to lead", () => {
    const [block, ...others] = parseMarkdown(
      '[a *b*][C] [c][] [c] [d] [1] ![i][c] [a [c] x](http://e)\n\n[c]: http://f.g "T"\n[1]: <http://h>',
    );
    expect(others).toEqual([]);
    const href = "http://f.g";
    expect(block).toMatchObject({
      spans: [
        { text: "a ", href },
        { text: "b", href, styles: ["italic"] },
        { text: " " },
        { text: "c", href },
        { text: " " },
        { text: "c", href },
        { text: " [d] " },
        { text: "[1]", href: "http://h" },
        { text: " " },
        { text: "i", href },
        { text: " " },
        { text: "a [c] x", href: "http://e" },
      ],
    });
    expect(parseMarkdown("[c]: http://f.g\n[d]: nothing else")).toMatchObject([
      { spans: [{ text: "[c]: " }, { text: "http://f.g" }] },
      { spans: [{ text: "[d]: nothing else" }] },
    ]);
  });

  test("LaTeX reads as nearly like the formula as text can", () => {
    expect(spansOf("$a_1 * b_2$ and \\(x_1^{*}\\) and \\[ y_1 * z_1 \\]")).toEqual([
      { text: "a₁ * b₂", tex: "a_1 * b_2" },
      { text: " and " },
      { text: "x₁*", tex: "x_1^{*}" },
      { text: " and " },
      { text: "y₁ * z₁", tex: "y_1 * z_1" },
    ]);
    expect(spansOf("\\[1\\] \\*a\\*")).toEqual([{ text: "[1] *a*" }]);
    expect(parseMarkdown("$$\n- a_1\n+ b_1\n$$\nc")).toEqual([
      { type: "paragraph", spans: [{ text: "− a₁ + b₁", tex: "- a_1\n+ b_1" }] },
      paragraph("c"),
    ]);
  });

  test("a style or an address of any length", () => {
    const text = "word and word ".repeat(150).trim();
    expect(spansOf(`**${text}**`)).toEqual([{ text, styles: ["bold"] }]);
    const href = `https://x.y/${"z".repeat(900)}`;
    expect(spansOf(`${"word ".repeat(60)}${href}`)[1]).toEqual({ text: href, href });
  });

  test("unpaired surrogates are replaced", () => {
    expect(spansOf("a\ud83db")).toEqual([{ text: "a\uFFFDb" }]);
  });
});

test("no letter is lost, whatever the marks", () => {
  const part = fc.constantFrom(
    "*",
    "**",
    "_",
    "~~",
    "||",
    "`",
    "|",
    "- ",
    "1. ",
    "# ",
    "> ",
    "\n",
    "\n\n",
    "\n  ",
    "    ",
    "[",
    "](",
    ")",
    "<",
    ">",
    "$",
    "\\",
    "\\(",
    "\\)",
    "a",
    "b c",
    "漢字",
    "é",
    "---",
    "|-|",
    "| a | b |\n|---|---|\n",
  );
  const lettersIn = (value: unknown): string =>
    typeof value === "string"
      ? value.normalize("NFKD").replace(/[^\p{L}]/gu, "")
      : Array.isArray(value)
        ? value.map(lettersIn).join("")
        : "";
  const textIn = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(textIn)
      : value && typeof value === "object"
        ? ["text", "spans", "head", "rows", "items", "blocks"].map((key) =>
            textIn((value as Record<string, unknown>)[key]),
          )
        : value;
  fc.assert(
    fc.property(fc.array(part, { maxLength: 60, size: "max" }), (parts) => {
      // What a link leads to is no text, nor is what stands behind the language of a block of code.
      const source = parts
        .join("")
        .replaceAll("](", "] (")
        .replace(/~~~+|```+/g, "~~");
      const shown = (textIn(parseMarkdown(source)) as unknown[]).flat(Infinity);
      expect(lettersIn(shown)).toBe(lettersIn(source));
    }),
    { numRuns: runs(175) },
  );
});

test("control characters in a formula do not separate what belongs together", () => {
  const [paragraph] = parseMarkdown("$x_\u0001a^2$");
  expect(paragraph).toMatchObject({ spans: [{ text: "xₐ²", tex: "x_a^2" }] });
});

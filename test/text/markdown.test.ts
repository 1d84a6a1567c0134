import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Block, Span } from "../../src/text/block.ts";
import { parseMarkdown } from "../../src/text/markdown.ts";

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

  test("rules, and no underlined headings or reference definitions", () => {
    expect(parseMarkdown("a\n---\nb\n===\n\n[c]: http://d.e")).toMatchObject([
      paragraph("a"),
      { type: "rule" },
      paragraph("b\n==="),
      { spans: [{ text: "[c]: " }, { text: "http://d.e" }] },
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
    expect(spansOf("<b>x</b> <!-- y --> <br> &amp; &lt; &copy; &nope;")).toEqual([
      { text: "<b>x</b> <!-- y --> <br> & < © &nope;" },
    ]);
  });

  test("LaTeX stays as it is", () => {
    const formulas = "$a_1 * b_2$ and \\(x_1^{*}\\) and \\[ y_1 * z_1 \\]";
    expect(spansOf(formulas)).toEqual([{ text: formulas }]);
    expect(spansOf("\\[1\\] \\*a\\*")).toEqual([{ text: "[1] *a*" }]);
    expect(parseMarkdown("$$\n- a_1\n+ b_1\n$$\nc")).toEqual([
      paragraph("$$\n- a_1\n+ b_1\n$$"),
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
      ? value.replace(/[^\p{L}]/gu, "")
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
      expect(lettersIn((textIn(parseMarkdown(source)) as unknown[]).flat(Infinity))).toBe(lettersIn(source));
    }),
    { numRuns: 500 },
  );
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Block } from "../../src/text/block.ts";
import type { Dialect } from "../../src/text/dialect/dialect.ts";
import { createPager } from "../../src/text/paginate/paginate.ts";
import { documents } from "./documents.ts";
import { describeLaws } from "./laws.ts";

/** A platform with tiny messages: everything that can happen at the end of a page happens. */
function tiny(length: number): Dialect<string> {
  return { limits: { length, unit: "utf16" }, print, fits: (body) => body.length <= length };
}

function print(blocks: readonly Block[]): string {
  return blocks.map(printBlock).join("\n");
}

function printBlock(block: Block): string {
  switch (block.type) {
    case "paragraph":
    case "heading":
      return block.spans.map(({ text }) => text).join("");
    case "code":
      return `|${block.text}`;
    case "quote":
      return `>${print(block.blocks)}`;
    case "list":
      return block.items
        .map(
          (item, i) =>
            (item.continues ? "" : `${block.start === undefined ? "-" : block.start + i} `) +
            print(item.blocks),
        )
        .join("\n");
    case "table":
      return block.rows
        .map((row) => row.map((cell) => cell.map(({ text }) => text).join("")).join("|"))
        .join("\n");
    case "rule":
      return "---";
  }
}

describeLaws({ name: "tiny messages", dialect: tiny(70), read: (body) => body });

const remember: Dialect<readonly Block[]> = {
  limits: { length: 40, unit: "utf16" },
  print: (blocks) => blocks,
  fits: (blocks) => print(blocks).length <= 40,
};

function pages(text: string, length = 40): readonly string[] {
  return createPager(tiny(length)).pages(text, true);
}

describe("where a page ends", () => {
  test("blank text has no pages", () => {
    for (const text of ["", " \n\t", "\u200b\u2060", "\u0001\u0002", "```\n\n```", ">", "\n".repeat(500)]) {
      expect(pages(text)).toEqual([]);
      expect(createPager(tiny(40)).pages(text, false)).toEqual([]);
    }
  });

  test("between blocks, if the page is half full", () => {
    expect(pages("A first paragraph of words.\n\nA second paragraph.")).toEqual([
      "A first paragraph of words.",
      "A second paragraph.",
    ]);
  });

  test("else after a line, a sentence, a word, a grapheme", () => {
    expect(pages("First line that is long\nsecond line that is longer than that")).toEqual([
      "First line that is long",
      "second line that is longer than that",
    ]);
    expect(pages("It was a sentence of words. And then another one")).toEqual([
      "It was a sentence of words.",
      "And then another one",
    ]);
    expect(pages("no sentence ends in these fourteen words here it goes")).toEqual([
      "no sentence ends in these fourteen words",
      "here it goes",
    ]);
    expect(pages("句子一二三四五六七八九十。句子一二三四五六七八九十。", 20)).toEqual([
      "句子一二三四五六七八九十。",
      "句子一二三四五六七八九十。",
    ]);
    expect(pages("👩‍👩‍👧‍👦".repeat(5), 30)).toEqual(["👩‍👩‍👧‍👦".repeat(2), "👩‍👩‍👧‍👦".repeat(2), "👩‍👩‍👧‍👦"]);
  });

  test("before a heading, not after it", () => {
    expect(pages("Some text that is long\n\n# Heading\n\nmore of it")).toEqual([
      "Some text that is long",
      "Heading\nmore of it",
    ]);
  });

  test("before several headings in a row, and before a line in bold that is one", () => {
    expect(pages("Some text that is long\n\n# One\n\n## Two\n\nmore of it here")).toEqual([
      "Some text that is long",
      "One\nTwo\nmore of it here",
    ]);
    expect(pages("Some text that is long\n\n**Heading**\n\nmore of it")).toEqual([
      "Some text that is long",
      "Heading\nmore of it",
    ]);
    expect(pages("> Some text that is long\n>\n> # Heading\n>\n> more of it")).toEqual([
      ">Some text that is long",
      ">Heading\nmore of it",
    ]);
  });

  test("before a line that introduces what follows", () => {
    expect(pages("Some text that is long\n\nDo this:\n\n- the first\n- the second")).toEqual([
      "Some text that is long",
      "Do this:\n- the first\n- the second",
    ]);
    expect(pages("Some text that is long\n\nLike so:\n\n```\nlet a = 1;\n```")).toEqual([
      "Some text that is long",
      "Like so:\n|let a = 1;",
    ]);
    expect(pages("Some text that is long\n\nAnd so:\n\nAnother paragraph")).toEqual([
      "Some text that is long\nAnd so:",
      "Another paragraph",
    ]);
  });

  test("not so that one line of code stays alone, before or behind", () => {
    const code = (count: number) => Array.from({ length: count }, (_, i) => `line${i}`).join("\n");
    expect(pages(`Some text that is long\n\n\`\`\`\n${code(5)}\n\`\`\``)).toEqual([
      "Some text that is long",
      `|${code(5)}`,
    ]);
    expect(pages(`\`\`\`\n${code(7)}\n\`\`\``)).toEqual([
      "|line0\nline1\nline2\nline3\nline4",
      "|line5\nline6",
    ]);
  });

  test("not so that a few words stay alone", () => {
    expect(pages("It all began a very long time ago. Nobody knew what it was then. Why?", 66)).toEqual([
      "It all began a very long time ago.",
      "Nobody knew what it was then. Why?",
    ]);
    expect(pages(`${"word ".repeat(13)}end`, 66)).toEqual(["word ".repeat(11).trim(), "word word end"]);
  });

  test("never between the head of a table and its first row", () => {
    const [first, second] = createPager(remember).pages(
      "Some text that is quite long\n\n| A | B |\n|---|---|\n| cell cell | cell |\n| c | d |",
      true,
    );
    expect(first).toMatchObject([{ type: "paragraph" }]);
    expect(second).toMatchObject([{ type: "table", rows: [{}, {}] }]);
  });

  test("before a formula, which stays whole", () => {
    const [first, second] = createPager(remember).pages(
      "Words before the formula are here $a+b+c+d+e$",
      true,
    );
    expect(first).toMatchObject([{ spans: [{ text: "Words before the formula are here" }] }]);
    expect(second).toMatchObject([{ spans: [{ tex: "a+b+c+d+e" }] }]);
  });

  test("behind no heading, if what stands before that fills a page", () => {
    const LIMIT = 200;
    const remembering: Dialect<readonly Block[]> = {
      limits: { length: LIMIT, unit: "utf16" },
      print: (blocks) => blocks,
      fits: (blocks) => print(blocks).length <= LIMIT,
    };
    fc.assert(
      fc.property(documents, (text) => {
        for (const page of createPager(remembering).pages(text, true).slice(0, -1)) {
          const last = page.at(-1);
          if (last?.type !== "heading") continue;
          // All that could have been a page instead is too short to be one; marks are no text.
          const before = page.slice(0, page.findLastIndex(({ type }) => type !== "heading") + 1);
          const words = print(before).replace(/^(?:[>|]|- |\d+ |---$)+|[|\n]/gm, "");
          expect(words.length).toBeLessThanOrEqual(LIMIT / 2);
        }
      }),
    );
  });

  test("before a link, which stays whole", () => {
    expect(pages("Words before the link and [the text of a link](http://a.b)")).toEqual([
      "Words before the link and",
      "the text of a link",
    ]);
  });

  test("even where a grapheme is larger than a page", () => {
    const zalgo = `a${"\u0301".repeat(100)}`;
    expect(pages(zalgo).join("")).toBe(zalgo);
    expect(pages(zalgo).every((page) => page.length <= 40)).toBe(true);
  });
});

describe("what goes on over pages", () => {
  const blocksOf = (text: string) => createPager(remember).pages(text, true);

  test("code is opened again with its language", () => {
    const [first, second] = blocksOf("```js\nlet alpha = 1;\nlet beta = 2;\n  let gamma = 3;\n```");
    expect(first).toEqual([{ type: "code", language: "js", text: "let alpha = 1;\nlet beta = 2;" }]);
    expect(second).toEqual([{ type: "code", language: "js", text: "  let gamma = 3;", continues: true }]);
  });

  test("a list goes on with its number", () => {
    const [first, second] = blocksOf("7. an item with words\n8. the next with more\n9. the last");
    expect(first).toMatchObject([{ type: "list", start: 7 }]);
    expect(second).toMatchObject([{ type: "list", start: 8, continues: true }]);
    expect(second).not.toMatchObject([{ items: [{ continues: true }] }]);
  });

  test("the rest of an item has no mark of its own", () => {
    const [, second] = blocksOf("1. an item with so many words that it goes on\n2. end");
    expect(second).toMatchObject([{ type: "list", start: 1, items: [{ continues: true }, {}] }]);
  });

  test("a table repeats its head", () => {
    const [first, second] = blocksOf(
      "| A | B |\n|---|---|\n| first cell | second |\n| third cell | fourth |\n| fifth | x |",
    );
    expect(first).toMatchObject([{ head: [[{ text: "A" }], [{ text: "B" }]] }]);
    expect(second).toMatchObject([{ head: [[{ text: "A" }], [{ text: "B" }]], continues: true }]);
  });

  test("a style is closed and opened again", () => {
    for (const page of blocksOf(`**${"bold words ".repeat(8).trim()}**`)) {
      expect(page).toMatchObject([{ spans: [{ styles: ["bold"] }] }]);
    }
  });
});

describe("a text that grows", () => {
  const LONG: Record<string, string> = {
    paragraph: "word and word. ".repeat(200),
    bold: `**${"word and word ".repeat(200)}`,
    lines: "a line of words\n".repeat(200),
    code: `\`\`\`js\n${"let a = 1;\n".repeat(200)}`,
    list: "- an item\n".repeat(200),
    table: `| A | B |\n|---|---|\n${"| cell | cell |\n".repeat(200)}`,
    quote: "> quoted words\n".repeat(200).replace(/(?:.*\n){5}/g, "$&>\n"),
    "code in an item": `1. item\n\n   \`\`\`\n${"   let a = 1;\n".repeat(200)}`,
    "list in an item": `- item\n${"  - nested\n".repeat(200)}`,
  };

  test.each(Object.entries(LONG).filter(([name]) => name !== "bold"))(
    "a long %s fills pages before it ends",
    (_, text) => {
      const shown = createPager(tiny(500)).pages(text, false).join("").length;
      expect(shown).toBeGreaterThan(text.length / 3);
    },
  );

  test("a mark that is never closed holds pages back, but not for ever", () => {
    const text = `**${"word and word ".repeat(2000)}`;
    expect(createPager(tiny(500)).pages(text, false).length).toBeGreaterThan(20);
  });

  test("marks that are only half written are not shown", () => {
    const growing = (text: string) => createPager(tiny(500)).pages(text, false).join("");
    const text = "A **bold *both* end** `code` [link](https://a.b/c) ~~strike~~ ||hidden|| ***x***";
    for (let end = 1; end <= text.length; end++) {
      expect(growing(text.slice(0, end)), text.slice(0, end)).not.toMatch(/[*`~|[\]]|https/);
    }
    expect(growing("text\n\n-")).toBe("text");
    expect(growing("text\n\n``")).toBe("text");
    expect(growing("```js\nlet a")).toBe("|let a");
  });

  test("half an emoji is not shown", () => {
    expect(createPager(tiny(40)).pages("hi \ud83d", false)).toEqual(["hi"]);
  });

  test("what is settled is not lost when the text ends", () => {
    const pager = createPager(tiny(40));
    pager.pages("One paragraph of text.\n\nAnother paragraph", false);
    const whole = pager.pages("One paragraph of text.\n\nAnother paragraph of text.", true);
    expect(whole).toEqual(["One paragraph of text.", "Another paragraph of text."]);
    expect(pager.pages("One paragraph of text.\n\nAnother paragraph of text.", true)).toEqual(whole);
  });
});

describe("a large text", () => {
  const size = 200_000;
  const fill = (text: string) => text.repeat(Math.ceil(size / text.length));

  test.each(
    Object.entries({
      words: fill("word "),
      "one word": fill("x"),
      stars: fill("*"),
      brackets: fill("["),
      "open links": fill("[a]("),
      backticks: fill("` "),
      formulas: fill("\\("),
      quotes: fill(">"),
      "deep lists": Array.from({ length: 300 }, (_, i) => `${"  ".repeat(i)}- x`).join("\n"),
      tables: `| a | b |\n|---|---|\n${fill("| cell | cell |\n")}`,
      "zero width": fill("\u200b"),
      marks: fill("**a ~~b ||c "),
    }),
  )("of %s is read to the end", (_, text) => {
    const dialect = tiny(4000);
    const all = createPager(dialect).pages(text, true);
    expect(all.every(dialect.fits)).toBe(true);
    const letters = (value: string) => value.replace(/[^a-z]/g, "").length;
    expect(letters(all.join(""))).toBeGreaterThanOrEqual(letters(text) - 2);
  });
});

import { describe, expect, test } from "vitest";
import { createDiscordDialect } from "../../../adapters/discord/dialect.ts";
import { parseMarkdown } from "../../../src/text/markdown.ts";
import { createPager } from "../../../src/text/paginate.ts";
import { describeLaws } from "../../text/laws.ts";

const dialect = createDiscordDialect();

function print(markdown: string): string {
  return dialect.print(parseMarkdown(markdown)).content;
}

/** Text that no rule of Markdown has touched. */
function printText(text: string): string {
  return dialect.print([{ type: "paragraph", spans: [{ text }] }]).content;
}

describeLaws({ name: "Discord", dialect, read: ({ content }) => content, runs: 60 });

test("2000 code points fit, and not one more", () => {
  expect(dialect.fits({ content: "👍".repeat(2000) })).toBe(true);
  expect(dialect.fits({ content: "👍".repeat(2001) })).toBe(false);
});

describe("styles", () => {
  test("keep their marks", () => {
    expect(print("**bold** *it* ~~gone~~ ||hidden|| `code` ***both***")).toBe(
      "**bold** *it* ~~gone~~ ||hidden|| `code` ***both***".replace("***both***", "*\u200b**both***"),
    );
  });

  test("marks that would be read together are kept apart", () => {
    expect(print("**a***b*")).toBe("**a**\u200b*b*");
    expect(print("***a* b**")).toBe("**\u200b*a* b**");
  });

  test("code with backticks", () => {
    expect(print("`` a`b ``")).toBe("``a`b``");
    expect(print("```` a``b` ````")).toBe("``a`\u200b`b` ``");
  });
});

describe("text shows as it is", () => {
  test.each([
    ["*a* _b_ ~c~ `d` ||e||", "\\*a\\* \\_b\\_ \\~c\\~ \\`d\\` \\|\\|e\\|\\|"],
    ["back\\slash", "back\\\\slash"],
    ["<@1> <#2> <t:3> <:e:4>", "\\<@1> \\<#2> \\<t:3> \\<:e:4>"],
    ["# a\n## b\n#c", "\\# a\n\\## b\n#c"],
    ["- a\n+ b\n-# c\n-d", "\\- a\n\\+ b\n\\-# c\n-d"],
    ["1. a\n2) b\n3.14", "1\\. a\n2\\) b\n3.14"],
    ["> a\n>>> b\n>c", "\\> a\n\\>>> b\n>c"],
    ["[a](b)", "[a\\](b)"],
    ["a - b # c > d", "a - b # c > d"],
    ["bell\u0007", "bell"],
  ])("%j", (text, shown) => {
    expect(printText(text)).toBe(shown);
  });

  test("behind a style too, but a line begins only once", () => {
    expect(print("**a** \\# b")).toBe("**a** # b");
  });
});

describe("links", () => {
  test("are masked, without a preview", () => {
    expect(print("[a **b**](https://x.y/a_b)")).toBe("[a **b**](<https://x.y/a_b>)");
    expect(print("[a \\[1\\]](https://x.y)")).toBe("[a \\[1\\]](<https://x.y>)");
    expect(print("![alt](https://x.y)")).toBe("[alt](<https://x.y>)");
  });

  test("addresses stay as they are", () => {
    expect(print("see https://x.y/a_b_c, me@x.y")).toBe("see <https://x.y/a_b_c>, me@x.y");
  });

  test("what Discord would not link is written out", () => {
    expect(print("[a](foo:bar)")).toBe("a (foo:bar)");
    expect(print("[https://a.b](https://c.d)")).toBe("<https://a.b> (<https://c.d>)");
  });
});

describe("blocks", () => {
  test("headings of three sizes", () => {
    expect(print("# a\n\n### b\n\n#### c\n\n- # d")).toBe("# a\n\n### b\n\n**c**\n\n- **d**");
  });

  test("code, with fences in it broken up", () => {
    expect(print("````js\nlet a;\n```\n````")).toBe("```js\nlet a;\n``\u200b`\n```");
    expect(print("```not a language!\nx\n```")).toBe("```not\nx\n```");
  });

  test("lists, quotes, rules", () => {
    expect(print("3. a\n   - b\n4. c\n\n> d\n>\n> e\n> > f\n\n---\n\n- [x] g")).toBe(
      "3. a\n   - b\n4. c\n\n> d\n> \n> e\n> \n> f\n\n———\n\n- ☑ g",
    );
  });

  test("tables", () => {
    expect(print("| A | B |\n|---|---|\n| a | b |")).toBe("```\nA | B\n--+--\na | b\n```");
    expect(print(`| A | B |\n|---|---|\n| **a** | ${"wide ".repeat(10)}|`)).toBe(
      `A: **a**\nB: ${"wide ".repeat(10).trim()}`,
    );
  });
});

test("code over pages is fenced on each", () => {
  const pages = createPager(dialect).pages(`\`\`\`js\n${"let a = 1;\n".repeat(400)}\`\`\``, true);
  expect(pages.length).toBe(3);
  for (const { content } of pages) expect(content).toMatch(/^```js\nlet a = 1;\n[^]*\n```$/);
});

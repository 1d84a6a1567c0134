import { describe, expect, test } from "vitest";
import type { Block, Span } from "../../src/text/block.ts";
import type { Dialect } from "../../src/text/dialect/dialect.ts";
import { createPager } from "../../src/text/paginate/paginate.ts";

/** Pages of a given length, in which links look as in Markdown. */
function small(length: number): Dialect<string> {
  const spans = (all: readonly Span[]) =>
    all.map(({ text, href }) => (href && href !== text ? `<${text}|${href}>` : text)).join("");
  const print = (blocks: readonly Block[]): string =>
    blocks.map((block) => (block.type === "paragraph" ? spans(block.spans) : "")).join("\n");
  return { limits: { length, unit: "utf16" }, print, fits: (body) => body.length <= length };
}

const pages = (text: string, length = 60, ended = true) => createPager(small(length)).pages(text, ended);

describe("references", () => {
  test("on one page become links, and what defines them is not shown", () => {
    expect(pages("See [this][a], [a] and [1].\n\n[a]: http://a.b\n[1]: http://1.b", 200)).toEqual([
      "See <this|http://a.b>, <a|http://a.b> and <[1]|http://1.b>.",
    ]);
  });

  test("that are defined on a later page stay as they are, and what defines them can be read", () => {
    const words = "word ".repeat(8).trim();
    expect(pages(`See [this][a]. ${words}\n\nAnd [that][a]. ${words}\n\n[a]: http://a.b`, 90)).toEqual([
      `See [this][a]. ${words}`,
      `And <that|http://a.b>. ${words}\n[a]: http://a.b`,
    ]);
  });

  test("that were defined on an earlier page are links", () => {
    const words = "word ".repeat(8).trim();
    expect(pages(`[a]: http://a.b\n\n${words}\n\nSee [this][a].`, 60)).toEqual([
      `[a]: http://a.b\n${words}`,
      "See <this|http://a.b>.",
    ]);
  });

  test("that nobody uses can be read", () => {
    expect(pages("Sources:\n\n[1]: http://a.b")).toEqual(["Sources:\n[1]: http://a.b"]);
  });

  test("become links while the answer grows, as soon as the address is there", () => {
    const pager = createPager(small(100));
    expect(pager.pages("See [this][a].", false)).toEqual(["See [this][a]."]);
    expect(pager.pages("See [this][a].\n\n[a]: http://a.b", false)).toEqual(["See <this|http://a.b>."]);
    expect(pager.pages("See [this][a].\n\n[a]: http://a.b not", false)).toEqual([
      "See [this][a].\n[a]: http://a.b not",
    ]);
  });
});

describe("footnotes", () => {
  test("have numbers, and names only where the name is that of a footnote", () => {
    expect(pages("One[^1], two[^n], [^a-z].\n\n[^n]: Note", 100)).toEqual([
      "One[1], two[n], [^a-z].\n[n] Note",
    ]);
  });
});

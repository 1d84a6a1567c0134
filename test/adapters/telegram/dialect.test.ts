import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createTelegramDialect, type TelegramBody } from "../../../adapters/telegram/dialect/dialect.ts";
import { parseMarkdown } from "../../../src/text/parse/markdown.ts";
import { createPager } from "../../../src/text/paginate/paginate.ts";
import { documents, scrambled, strings } from "../../text/documents.ts";
import { describeLaws } from "../../text/laws.ts";
import { runs } from "../../support/runs.ts";

const dialect = createTelegramDialect({ rich: "classic" });

function print(markdown: string): TelegramBody {
  return dialect.print(parseMarkdown(markdown));
}

/** Each entity as `type:what it covers`. */
function entitiesOf({ text, entities }: TelegramBody): string[] {
  return entities.map(({ type, offset, length }) => `${type}:${text.slice(offset, offset + length)}`);
}

describeLaws({ name: "Telegram", dialect, read: ({ text }) => text, usual: 36 });

test("entities are what the server accepts, for any text", () => {
  fc.assert(
    fc.property(fc.oneof(documents, scrambled, strings), (text) => {
      for (const body of createPager(dialect).pages(text, true)) expectValid(body);
    }),
    { numRuns: runs(35) },
  );
});

/** The rules of the Bot API for a text and its entities. */
function expectValid({ text, entities }: TelegramBody): void {
  expect(text.trim()).not.toBe("");
  expect(text.trimEnd()).toBe(text);
  expect(text).not.toMatch(/[\0-\x09\x0b-\x1f\u2028-\u202e]|\p{Surrogate}/u);
  for (const { offset, length, type, url } of entities) {
    expect(length).toBeGreaterThan(0);
    expect(offset).toBeGreaterThanOrEqual(0);
    expect(offset + length).toBeLessThanOrEqual(text.length);
    for (const edge of [offset, offset + length])
      expect(/^[\udc00-\udfff]/.test(text.slice(edge))).toBe(false);
    if (type === "text_link") expect(url).toMatch(/^https?:\/\/[^/]+\.[^/]+|^tg:/);
  }
  expectNested(entities);
}

function expectNested(entities: TelegramBody["entities"]): void {
  const alone = new Set(["code", "pre"]);
  for (const [index, a] of entities.entries()) {
    for (const b of entities.slice(index + 1)) {
      if (b.offset >= a.offset + a.length) continue;
      expect(b.offset + b.length, "entities are nested or apart").toBeLessThanOrEqual(a.offset + a.length);
      expect(b.type).not.toMatch(/blockquote/);
      expect(alone.has(a.type), "code holds nothing").toBe(false);
      expect(alone.has(b.type) && !a.type.includes("blockquote"), "code is only in quotes").toBe(false);
    }
  }
}

describe("styles", () => {
  test("are entities, counted in UTF-16 units", () => {
    const body = print("👍 **bold *both*** ~~gone~~ ||hidden|| `code` [link](https://a.b/c)");
    expect(body.text).toBe("👍 bold both gone hidden code link");
    expect(entitiesOf(body)).toEqual([
      "bold:bold both",
      "italic:both",
      "strikethrough:gone",
      "spoiler:hidden",
      "code:code",
      "text_link:link",
    ]);
    expect(body.entities[0]).toEqual({ type: "bold", offset: 3, length: 9 });
    expect(body.entities.at(-1)).toMatchObject({ url: "https://a.b/c" });
  });

  test("code is not bold, and a link that is code is a link", () => {
    expect(entitiesOf(print("**a `b` c**"))).toEqual(["bold:a ", "code:b", "bold: c"]);
    expect(entitiesOf(print("[`a`](https://b.c)"))).toEqual(["text_link:a"]);
  });

  test("that overlap are split", () => {
    const spans = [
      { text: "a", styles: ["bold"] },
      { text: "b", styles: ["bold", "italic"] },
      { text: "c", styles: ["italic"] },
    ] as const;
    expect(entitiesOf(dialect.print([{ type: "paragraph", spans }]))).toEqual([
      "bold:ab",
      "italic:b",
      "italic:c",
    ]);
  });

  test("more than 95 need another page, split ones counted", () => {
    const pages = createPager(dialect).pages("**a** ".repeat(200), true);
    // Three more than would have to be go to the last page, which is no stray line so.
    expect(pages.map(({ entities }) => entities.length)).toEqual([95, 92, 13]);
    const nested = createPager(dialect).pages(`**x ${"*a* b ".repeat(60)}y**`, true);
    expect(nested.length).toBeGreaterThan(1);
  });
});

describe("links", () => {
  test.each(["foo:bar", "http://localhost:3000", "https://[::1]/", "http://a", "ftp://a.b/c", "/path"])(
    "%s would be refused and is written out",
    (href) => {
      expect(print(`[text](${href})`)).toEqual({ text: `text (${href})`, entities: [] });
    },
  );

  test("an address that is its own text is a link just as far as it goes", () => {
    expect(print("https://a.b/c。 me@a.b")).toEqual({
      text: "https://a.b/c。 me@a.b",
      entities: [{ type: "text_link", offset: 0, length: 13, url: "https://a.b/c" }],
    });
    expect(print("[mail](mailto:me@a.b)").text).toBe("mail (me@a.b)");
  });
});

describe("blocks", () => {
  test("headings are bold, rules are lines", () => {
    const body = print("# A `b`\n\n---\n\nc");
    expect(body.text).toBe("A b\n\n———\n\nc");
    expect(entitiesOf(body)).toEqual(["bold:A ", "code:b"]);
  });

  test("code has its language, and tabs keep their width", () => {
    const body = print("```js\n\tlet a;\n```\n\n    plain");
    expect(body.text).toBe("    let a;\n\nplain");
    expect(body.entities).toEqual([
      { type: "pre", offset: 0, length: 10, language: "js" },
      { type: "pre", offset: 12, length: 5 },
    ]);
  });

  test("lists", () => {
    expect(print("3. a\n   - b\n\n     more\n4. c\n   - [ ] d\n   - [x] e").text).toBe(
      "3. a\n   • b\n     more\n4. c\n   ☐ d\n   ☑ e",
    );
  });

  test("code in an item begins at the margin", () => {
    const body = print("- a\n\n  ```\n  b\n  ```\n- ```\n  c\n  ```");
    expect(body.text).toBe("• a\nb\n• \nc");
    expect(entitiesOf(body)).toEqual(["pre:b", "pre:c"]);
  });

  test("quotes hold no quotes", () => {
    const body = print("> a **b**\n> > c\n\nd");
    expect(body.text).toBe("a b\n\nc\n\nd");
    expect(entitiesOf(body)).toEqual(["blockquote:a b\n\nc", "bold:b"]);
  });

  test("a quote longer than a screenful is folded, also while it grows", () => {
    const lines = (count: number) => Array.from({ length: count }, (_, i) => `> line ${i}`).join("\n");
    expect(print(lines(16)).entities).toMatchObject([{ type: "blockquote" }]);
    expect(print(lines(17)).entities).toMatchObject([{ type: "expandable_blockquote" }]);
    expect(print(`> ${"long ".repeat(170)}`).entities).toMatchObject([{ type: "expandable_blockquote" }]);
    const [page, next] = createPager(dialect).pages(`${lines(30)}\n\nx`, false);
    expect(page?.entities).toMatchObject([{ type: "expandable_blockquote" }]);
    expect(next).toBeUndefined();
  });

  test("a narrow table is monospaced, by the width that is seen", () => {
    const body = print("| Name | 值 |\n|---|--:|\n| a | 中文 |\n| bb | c |");
    expect(body.text).toBe("Name |   值\n-----+-----\na    | 中文\nbb   |    c");
    expect(body.entities).toMatchObject([{ type: "pre" }]);
  });

  test("a wide table is a card a row", () => {
    const wide = "a text that is wide enough for a telephone";
    const body = print(`| Name | What |\n|---|---|\n| a | ${wide} |\n| **b** | |`);
    expect(body).toEqual({
      text: `Name: a\nWhat: ${wide}\n\nName: b`,
      entities: [{ type: "bold", offset: 64, length: 1 }],
    });
  });

  test("nothing prints as nothing", () => {
    expect(dialect.print([])).toEqual({ text: "", entities: [] });
  });

  test("characters that the server takes away are not counted", () => {
    expect(print("a\u0000b\u0007c\u202ed\u2028e")).toEqual({ text: "a\uFFFDb cde", entities: [] });
  });
});

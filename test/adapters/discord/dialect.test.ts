import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createDiscordDialect } from "../../../adapters/discord/dialect/dialect.ts";
import { parseMarkdown } from "../../../src/text/parse/markdown.ts";
import { createPager } from "../../../src/text/paginate/paginate.ts";
import type { Block, Span, Style } from "../../../src/text/block.ts";
import { describeLaws } from "../../text/laws.ts";
import { charactersOf, read, type Run } from "./reader.ts";
import { runs } from "../../support/runs.ts";

const dialect = createDiscordDialect();

function print(markdown: string): string {
  return dialect.print(parseMarkdown(markdown)).content;
}

/** Text that no rule of Markdown has touched. */
function printText(text: string): string {
  return dialect.print([{ type: "paragraph", spans: [{ text }] }]).content;
}

describeLaws({ name: "Discord", dialect, read: ({ content }) => content, usual: 36 });

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
    ["<@1> <#2> <t:3> <:e:4>", "\\<@1> \\<#2> \\<t:3> \\<\\:e:4>"],
    ["# a\n## b\n#c", "\\# a\n\\## b\n#c"],
    ["- a\n+ b\n-# c\n-d", "\\- a\n\\+ b\n\\-# c\n-d"],
    ["1. a\n2) b\n3.14", "1\\. a\n2\\) b\n3.14"],
    ["> a\n>>> b\n>c", "\\> a\n\\>>> b\n>c"],
    ["[a](b)", "[a]\u200b(b)"],
    ["a - b # c > d", "a - b # c > d"],
    ["bell\u0007", "bell"],
  ])("%j", (text, shown) => {
    expect(printText(text)).toBe(shown);
  });

  test("behind a style too, but a line begins only once", () => {
    expect(print("**a** \\# b")).toBe("**a** # b");
  });
});

describe("as Discord's client reads it", () => {
  const pieces =
    "a b 1 日 ! . + # ( ) [ ] ]( \\ < > * ** _ __ ~ ~~ ` `` ``` | || : :key: _a_ - -# 1. >>> <@1> <t:1:R> </x:1>".split(
      " ",
    );
  const text = fc
    .array(fc.constantFrom(...pieces, " ", "\n", "# ", "> ", "- ", "1. ", "https://x.y/a_b"), {
      minLength: 1,
      maxLength: 6,
    })
    .map((parts) => parts.join(""))
    .filter((whole) => whole.trim() !== "");
  const style = fc.subarray<Style>(["bold", "italic", "strike", "spoiler", "code"]);
  const span = fc.record({ text, styles: style, href: fc.constantFrom("", "", "https://x.y/z") }).map(toSpan);

  /** Links whose texts Discord would not take are written out, which is another test's matter. */
  function toSpan({ text, styles, href }: { text: string; styles: Style[]; href: string }): Span {
    const code = styles.includes("code");
    return {
      text: code ? text.replaceAll("](", "x") : text,
      styles,
      ...(href && !/[[\]]|https/.test(text) && { href }),
    };
  }

  /** Of code only what must stay: other styles give way to what the code holds. */
  const bare = (run: Run): Run =>
    run.looks.includes("code")
      ? { ...run, looks: run.looks.filter((look) => !["bold", "italic", "strike"].includes(look)) }
      : { ...run, text: run.href ? run.text.replace(/%[2-7][0-9A-F]/g, decodeURIComponent) : run.text };

  test("any text in any styles is what it was", () => {
    fc.assert(
      fc.property(fc.array(span, { minLength: 1, maxLength: 4 }), (spans) => {
        const shown = dialect.print([{ type: "paragraph", spans }]).content;
        const meant = spans.map(({ text, styles = [] }) => bare({ text, looks: styles }));
        expect(charactersOf(read(shown).map(bare))).toEqual(charactersOf(meant));
      }),
      { numRuns: runs(350) },
    );
  });

  /** Runs as `text{looks}`, so that a test reads as what a person sees. */
  const seen = (markdown: string) =>
    read(print(markdown))
      .map((run) => ({ ...run, text: run.text.replaceAll("\u200b", "") }))
      .filter(({ text }) => text !== "")
      .reduce<Run[]>((runs, run) => {
        const last = runs.at(-1);
        if (!last || String(last.looks) !== String(run.looks) || last.href !== run.href)
          return [...runs, run];
        return [...runs.slice(0, -1), { ...last, text: last.text + run.text }];
      }, [])
      .map(
        ({ text, looks, href }) =>
          text + (looks.length > 0 ? `{${looks.join(" ")}}` : "") + (href ? `<${href}>` : ""),
      );

  test.each([
    ["snake_case, __dunder__ and 3 * 4 * 5", ["snake_case, ", "dunder{bold}", " and 3 * 4 * 5"]],
    ["a\\_b\\_c \\*d\\* \\|\\|e\\|\\|", ["a_b_c *d* ||e||"]],
    ["1986\\. was good", ["1986. was good"]],
    ["\\-# not small", ["-# not small"]],
    ["\\>>> not quoted", [">>> not quoted"]],
    ["at 12:30:45 and :rocket: and std::string::npos", ["at 12:30:45 and :rocket: and std::string::npos"]],
    ["<@1> <@&2> <#3> </ask:4> <t:5:R> <a:b:6>", ["<@1> <@&2> <#3> </ask:4> <t:5:R> <a:b:6>"]],
    ["**use `x` now**", ["use {bold}", "x{bold code}", " now{bold}"]],
    ["**use `**kwargs` now**", ["use {bold}", "**kwargs{code}", " now{bold}"]],
    ["~~no `a~~b` more~~", ["no {strike}", "a~~b{code}", " more{strike}"]],
    ["# Learning C#", ["Learning C#{h1}"]],
    ["http://foo_bar/a_b is no address", ["http://foo_bar/a_b is no address"]],
  ])("%s", (markdown, runs) => {
    expect(seen(markdown)).toEqual(runs);
  });

  test("code does not end the spoiler that it stands in", () => {
    const spans: Span[] = [
      { text: "who ", styles: ["spoiler"] },
      { text: "a||b", styles: ["spoiler", "code"] },
    ];
    const runs = read(dialect.print([{ type: "paragraph", spans }]).content);
    expect(runs.map(({ looks }) => looks.join(" "))).toEqual([
      ...Array<string>(4).fill("spoiler"),
      "spoiler code",
    ]);
  });

  test("links lead where they should", () => {
    const wiki = "https://en.wikipedia.org/wiki/Rust_(language)";
    expect(seen(`[Rust](${wiki}), ${wiki}`)).toEqual([`Rust<${wiki}>`, ", ", `${wiki}<${wiki}>`]);
    expect(seen("[a](<https://x.y/)>) b")).toEqual(["a<https://x.y/%29>", " b"]);
    expect(seen("see [[1](https://x.y)] (b)")).toEqual(["see [", "1<https://x.y>", "] (b)"]);
    expect(seen("**[a](https://x.y/**/z)**")).toEqual(["a{bold}<https://x.y/%2A%2A/z>"]);
    expect(seen("[a \\[ b](https://x.y)")).toEqual(["a [ b (", "https://x.y<https://x.y>", ")"]);
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

describe("lists", () => {
  const item = (text: string, more: readonly Block[] = []) => ({
    blocks: [{ type: "paragraph", spans: [{ text }] } as const, ...more],
  });
  const bullets = (...texts: string[]): Block => ({ type: "list", items: texts.map((text) => item(text)) });

  test("a list behind a list is one of its own", () => {
    expect(print("- a\n\n1. b")).toBe("- a\n\n\u200b\n1. b");
  });

  test("one that begins with 0 keeps its numbers", () => {
    expect(print("0. a\n1. b")).toBe("0\\. a\n1\\. b");
  });

  test("one that goes on shows what belongs to which item", () => {
    const printed = (...blocks: Block[]) => dialect.print(blocks).content;
    const goesOn = (start: number | undefined, blocks: readonly Block[]): Block => ({
      type: "list",
      continues: true,
      ...(start !== undefined && { start }),
      items: [{ continues: true, blocks }, item("next")],
    });
    const text: Block = { type: "paragraph", continues: true, spans: [{ text: "rest" }] };
    const code: Block = { type: "code", continues: true, language: "py", text: "if x:\n    y" };
    expect(printed(goesOn(3, [text]))).toBe("rest\n\n4. next");
    expect(printed(goesOn(undefined, [code]))).toBe("```py\nif x:\n    y\n```\n\n- next");
    expect(printed(goesOn(3, [bullets("a", "b")]))).toBe("3. …\n   - a\n   - b\n4. next");
    expect(printed(goesOn(undefined, [text, bullets("a")]))).toBe("rest\n\n- …\n  - a\n- next");
    expect(printed(goesOn(undefined, [goesOn(undefined, [text])]))).toBe("rest\n\n- …\n  - next\n- next");
  });
});

test("nothing in a code block, a quote or a heading still leaves no bare marks", () => {
  expect(dialect.print([{ type: "code", language: "js", text: "" }]).content).toBe("```js\n \n```");
  expect(print("a\n\n>\n\nb")).not.toMatch(/^>$/m);
});

test("code over pages is fenced on each", () => {
  const pages = createPager(dialect).pages(`\`\`\`js\n${"let a = 1;\n".repeat(400)}\`\`\``, true);
  expect(pages.length).toBe(3);
  for (const { content } of pages) expect(content).toMatch(/^```js\nlet a = 1;\n[^]*\n```$/);
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createDingtalkDialect, dingtalkPayload } from "../../../adapters/dingtalk/index.ts";
import type { Style } from "../../../src/text/block.ts";
import { parseMarkdown } from "../../../src/text/parse/markdown.ts";
import { createPager } from "../../../src/text/paginate/paginate.ts";
import { documents, scrambled, strings } from "../../text/documents.ts";
import { describeLaws } from "../../text/laws.ts";
import { characters, kindsIn, readMarkdown } from "./reader.ts";
import { runs } from "../../support/runs.ts";

const dialect = createDingtalkDialect();

function print(markdown: string): string {
  return dialect.print(parseMarkdown(markdown)).text;
}

/** Text that no rule of Markdown has touched. */
function printText(text: string): string {
  return dialect.print([{ type: "paragraph", spans: [{ text }] }]).text;
}

function textSeen(text: string): string {
  return readMarkdown(text)
    .map(({ character }) => character)
    .join("");
}

describeLaws({ name: "DingTalk", dialect, read: ({ text }) => textSeen(text), usual: 18 });

describe("as CommonMark reads it", () => {
  test.each(Object.entries({ documents, scrambled, strings }))(
    "%s hold no HTML, image or table of their own",
    (_, input) => {
      fc.assert(
        fc.property(input, (text) => {
          for (const page of createPager(dialect).pages(text, true)) {
            const kinds = kindsIn(page.text);
            for (const kind of ["html_inline", "html_block", "image", "table_open", "hr"])
              expect(kinds).not.toContain(kind);
          }
        }),
        { numRuns: runs(21) },
      );
    },
  );

  const text = fc.oneof(
    scrambled,
    strings,
    fc.string({
      unit: fc.constantFrom(
        "a",
        "1",
        " ",
        "\n",
        "*",
        "_",
        "`",
        "~",
        "[",
        "](",
        "!",
        "<",
        "b>",
        "\\",
        "&lt;",
        "#",
        "- ",
        "1. ",
        "|",
        "-",
        "=",
        ":",
        ">",
        "。",
        "重",
        "（",
      ),
    }),
  );

  test("any text says the same", () => {
    fc.assert(
      fc.property(text, (shown) => {
        expect(readMarkdown(printText(shown))).toEqual(characters(shown, ""));
      }),
      { numRuns: runs(420) },
    );
  });

  const styles = fc.oneof(
    fc.subarray<Style>(["bold", "italic", "spoiler"]),
    fc.constant<Style[]>(["strike"]),
  );
  const plain = fc.string({
    unit: fc.constantFrom("a", "b c", " ", "重点", "：", "“", "。", "*", "_", ".", "(", "`", "👍", "~"),
  });

  test("any style of any text is kept", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ text: plain, styles }), { maxLength: 5 }), (spans) => {
        const seen = spans.flatMap((span) =>
          characters(
            span.text,
            span.styles
              .filter((style) => style !== "spoiler")
              .sort()
              .join(" "),
          ),
        );
        expect(readMarkdown(dialect.print([{ type: "paragraph", spans }]).text)).toEqual(seen);
      }),
      { numRuns: runs(420) },
    );
  });
});

describe("blocks", () => {
  test("headings of six sizes; within lists they are bold", () => {
    expect(print("# a\n\n###### b #\n\n- # c")).toBe("# a\n\n###### b\n\n- **c**");
    expect(print("# a \\#")).toBe("# a \\#");
  });

  test("a line ends where it ended", () => {
    expect(print("a\nb\n\nc")).toBe("a  \nb\n\nc");
    expect(print("- a\n  b\n- c")).toBe("- a  \n    b\n- c");
    expect(print("**a\nb**")).toBe("**a**  \n**b**");
  });

  test("lists, tasks, quotes, rules", () => {
    expect(print("3. a\n   - b\n     1. c\n4. d\n\n> e\n>\n> > f\n\n---\n\n- [x] g\n- [ ] h")).toBe(
      "3. a\n    - b\n        1. c\n4. d\n\n> e\n> \n> > f\n\n———\n\n- ☑ g\n- ☐ h",
    );
  });

  test("an item that begins with something else than text", () => {
    expect(print("- ```js\n  a\n    b\n  ```\n- - c\n  - d")).toBe(
      "-\n    ```js\n    a\n      b\n    ```\n-\n    - c\n    - d",
    );
  });

  test("what an item has besides its text", () => {
    expect(print("- a\n\n  b\n\n  3. c\n- d")).toBe("- a\n\n    b\n\n    3. c\n- d");
  });

  test("code is as it was", () => {
    expect(print("```html\n<b>*a*</b> &lt;\n\tb\n```")).toBe("```html\n<b>*a*</b> &lt;\n\tb\n```");
    expect(print("````\n```\n````")).toBe("````\n```\n````");
    expect(print("`` a`b `` and `c`")).toBe("``a`b`` and `c`");
  });

  test("tables become a paragraph a row", () => {
    expect(print("| A | B |\n|---|---|\n| a | **b** |\n| c | |")).toBe(
      "**A**: a  \n**B**: **b**\n\n**A**: c",
    );
  });
});

describe("text", () => {
  test.each([
    ["5 * 3 = 15, snake_case", "5 * 3 = 15, snake\\_case"],
    ["<font color=red>x</font> a < b", "&lt;font color=red>x&lt;/font> a < b"],
    ["&lt; & &amp;", "&amp;lt; & &amp;amp;"],
    ["# a\n#b\n- c\n1. d\n> e\n---\n===", "\\# a  \n#b  \n\\- c  \n1\\. d  \n\\> e  \n\\---  \n\\==="],
    ["a | b\n--|--\n1 | 2", "a | b  \n\\--|--  \n1 | 2"],
    ["[a](b) [c]: d ![e]", "[a\\](b) [c\\]: d ![e\\]"],
    ["back\\slash \\* \\", "back\\slash \\\\\\* \\\\"],
    ["bell\u0007 nul\0 \u202eevil", "bell nul evil"],
  ])("%j shows as it is", (text, shown) => {
    expect(printText(text)).toBe(shown);
  });

  test("styles, beside Chinese and punctuation too", () => {
    expect(print("**bold** *it* ~~gone~~ ||hidden|| `code`")).toBe("**bold** *it* ~~gone~~ hidden `code`");
    expect(print("这是**重点：**内容，**重点**。")).toBe("这是**重点：**\u200a内容，**重点**。");
    expect(print("***a* b** ~~**c**~~")).toBe("***a* b** ~~**c**~~");
  });
});

describe("links", () => {
  test("lead to the web; other addresses are written out", () => {
    expect(print("[a **b**](https://x.y/a_b)")).toBe("[a **b**](https://x.y/a_b)");
    expect(print("[a](dingtalk://dingtalkclient/page/link) [b](mailto:me@x.y)")).toBe(
      "a (dingtalk://dingtalkclient/page/link) b (me@x.y)",
    );
    const spans = [{ text: "a", href: "javascript:alert(1)" }];
    expect(dialect.print([{ type: "paragraph", spans }]).text).toBe("a (javascript:alert(1))");
  });

  test("addresses are links too", () => {
    expect(print("see https://x.y/a_b, me@x.y")).toBe("see [https://x.y/a\\_b](https://x.y/a_b), me@x.y");
  });

  test("hold no bracket or quote that would end them", () => {
    expect(print('[a\\]b](<https://x.y/(a) "b>)')).toBe("[a\\]b](https://x.y/%28a%29%20%22b)");
  });

  test("images are links, also behind an exclamation mark", () => {
    expect(print("![alt](https://x.y/z.png)")).toBe("[alt](https://x.y/z.png)");
    expect(print("Look!![alt](https://x.y/z.png)")).toBe("Look\\![alt](https://x.y/z.png)");
  });
});

describe("a message", () => {
  const bytes = (markdown: string) =>
    createPager(dialect)
      .pages(markdown, true)
      .map((page) => Buffer.byteLength(dingtalkPayload(page).msgParam));

  test.each([
    ["Chinese", "漢字。".repeat(20_000)],
    ["characters that JSON escapes", '"\\\t'.repeat(10_000)],
    ["code", `\`\`\`\n${'\tprint("a")\n'.repeat(5000)}\`\`\``],
  ])("has no more bytes than DingTalk takes: %s", (_, markdown) => {
    const sizes = bytes(markdown);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(15_000);
    expect(Math.max(...sizes)).toBeGreaterThan(13_000);
  });

  test("is announced by its first words", () => {
    const title = (markdown: string) => dialect.print(parseMarkdown(markdown)).title;
    expect(title("\n\n> # Why **rain** falls\n\ntext")).toBe("Why rain falls");
    expect(title("word ".repeat(30))).toBe("word word word word word word word…");
    expect(title("漢".repeat(100))).toBe(`${"漢".repeat(39)}…`);
    expect(title("---")).toBe("…");
  });

  test("mentions nobody", () => {
    const [page] = createPager(dialect).pages("@all @everyone @13800000000", true);
    expect(page && dingtalkPayload(page)).toEqual({
      msgKey: "sampleMarkdown",
      msgParam: JSON.stringify({ title: "@all @everyone @13800000000", text: "@all @everyone @13800000000" }),
    });
  });

  test("goes on with the numbers of a list, and with its language in code", () => {
    const list = Array.from({ length: 900 }, (_, n) => `${n + 1}. item number ${n + 1} of many`).join("\n");
    const pages = createPager(dialect).pages(list, true);
    expect(pages.length).toBeGreaterThan(1);
    const numbers = pages.flatMap(({ text }) => [...text.matchAll(/^(\d+)\. item number (\d+)/gm)]);
    expect(numbers).toHaveLength(900);
    for (const [, marker, item] of numbers) expect(marker).toBe(item);
    for (const { text } of createPager(dialect).pages(`\`\`\`js\n${"let a = 1;\n".repeat(4000)}\`\`\``, true))
      expect(text).toMatch(/^```js\nlet a[^]*;\n```$/);
  });
});

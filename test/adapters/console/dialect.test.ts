import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { createConsoleDialect } from "../../../adapters/console/dialect.ts";
import { parseMarkdown } from "../../../src/text/parse/markdown.ts";
import { createPager } from "../../../src/text/paginate/paginate.ts";
import { describeLaws } from "../../text/laws.ts";

const pipe = createConsoleDialect({ color: false });
const terminal = createConsoleDialect({ color: true, columns: 40, rows: 8 });

describeLaws({ name: "a pipe", dialect: pipe, read: (body) => body, usual: 24 });
describeLaws({ name: "a terminal", dialect: terminal, read: stripVTControlCharacters, usual: 8 });

/** What a pipe gets: all pages, the first without its blank line. */
function piped(markdown: string): string {
  return createPager(pipe).pages(markdown, true).join("\n").replace(/^\n/, "");
}

describe("in a pipe", () => {
  test("text is as readable as Markdown", () => {
    const text =
      "# Title\n\nSome **bold** `code` and [a](https://b.c), https://d.e\n\n3. a\n   - b\n   - [x] c\n4. d\n\n> e\n> > f";
    expect(piped(text)).toBe(
      "Title\n\nSome bold `code` and a (https://b.c), https://d.e\n\n3. a\n   - b\n   - [x] c\n4. d\n\n> e\n> \n> > f",
    );
  });

  test("what is struck out does not seem to be meant", () => {
    expect(piped("~~100~~ 80, ~~`a`~~")).toBe("~~100~~ 80, ~~`a`~~");
  });

  test("code is fenced once, whatever its length and its backticks", () => {
    const code = "let a = 1;\n".repeat(3000);
    expect(piped(`\`\`\`js\n${code}\`\`\`\nend`)).toBe(`\`\`\`js\n${code}\`\`\`\n\nend`);
    expect(piped("````\n```\n````")).toBe("````\n```\n````");
  });

  test("code keeps its tabs", () => {
    expect(piped("```\n\ta\n```")).toBe("```\n\ta\n```");
  });

  test("tables", () => {
    expect(piped("| A | B |\n|---|---|\n| a | b |")).toBe("A | B\n--+--\na | b");
  });
});

describe("a page", () => {
  test("is one block, and finished blocks stay as they are", () => {
    const pager = createPager(terminal);
    expect(pager.pages("First.\n\nSec", false)).toEqual(["\nFirst.", "\nSec"]);
    expect(pager.pages("First.\n\nSecond.\n\n- a", false)).toEqual(["\nFirst.", "\nSecond.", "\n- a"]);
  });

  test("has no more lines than the terminal, and none is wider", () => {
    const pages = createPager(terminal).pages("word ".repeat(300), true);
    const lines = pages.map((page) => stripVTControlCharacters(page).split("\n"));
    expect(Math.max(...lines.map((page) => page.length))).toBe(8);
    expect(Math.max(...lines.flat().map((line) => line.length))).toBeLessThanOrEqual(40);
  });

  test("begins with a blank line, unless it goes on", () => {
    const pages = createPager(terminal).pages("word ".repeat(200), true);
    expect(pages.map((page) => page.startsWith("\n"))).toEqual([true, ...pages.slice(1).map(() => false)]);
  });
});

test("colour is used if asked for", () => {
  const print = (color: boolean) => createConsoleDialect({ color }).print(parseMarkdown("**a** `b`"));
  expect(print(false)).toBe("\na `b`");
  expect(print(true)).toBe("\n\u001b[1ma\u001b[22m \u001b[36mb\u001b[39m");
});

test("the model cannot command the terminal", () => {
  const evil = "\u001b[2Ja\u001b]0;title\u0007b\u009b31mc\u202e\r\b";
  const text = `${evil}\n\n\`${evil}\`\n\n\`\`\`${evil.replaceAll("\r", "")}\n${evil}\n\`\`\`\n\n| ${evil.replaceAll("\r", "")} |\n|---|\n| ${evil.replaceAll("\r", "")} |\n`;
  expect(createPager(pipe).pages(text, true).join("")).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
});

describe("on a terminal", () => {
  const seen = (markdown: string, options = {}) =>
    createConsoleDialect({ color: false, columns: 24, ...options })
      .print(parseMarkdown(markdown))
      .slice(1);

  test("quotes have a bar, also where a line goes on", () => {
    expect(seen("> some words that are quoted\n> > deeper")).toBe(
      "│ some words that are\n│ quoted\n│ \n│ │ deeper",
    );
  });

  test("a line that goes on in a list stands below its text", () => {
    expect(seen("10. some words that are longer than that\n    - [x] done", { columns: 30 })).toBe(
      "10. some words that are longer\n    than that\n    - [x] done",
    );
  });

  test("styles end with each line and begin again with the next", () => {
    const text = seen("**some words that are very bold**", { color: true });
    expect(text).toBe("\u001b[1msome words that are very\u001b[22m\n\u001b[1mbold\u001b[22m");
  });

  test("a table that is too wide becomes cards", () => {
    expect(seen("| A | B |\n|---|---|\n| a | b |")).toBe("A | B\n--+--\na | b");
    expect(
      seen("| Name | Meaning |\n|---|---|\n| **one** | a long explanation of it |\n| two | short |"),
    ).toBe("Name: one\nMeaning: a long\nexplanation of it\n\nName: two\nMeaning: short");
  });

  test("links stand behind their text where the terminal shows them", () => {
    const text = "[here](https://x.y/ä b), https://x.y, [https://a.b](https://c.d), [m](mailto:me@x.y)";
    const [link] = parseMarkdown("[here](<https://x.y/ä b>)");
    const dialect = createConsoleDialect({ color: false, links: true });
    expect(dialect.print(link ? [link] : [])).toBe(
      "\n\u001b]8;;https://x.y/%C3%A4%20b\u001b\\here\u001b]8;;\u001b\\",
    );
    expect(dialect.print(parseMarkdown(text.replace("ä b", "")))).toBe(
      "\n\u001b]8;;https://x.y/\u001b\\here\u001b]8;;\u001b\\, https://x.y, https://a.b (https://c.d), m (me@x.y)",
    );
  });

  test("an address cannot command the terminal either", () => {
    const spans = [{ text: "a", href: "https://x.y/\u001b\\\u001b[2J\u0007\u009c" }];
    const body = createConsoleDialect({ color: false, links: true }).print([{ type: "paragraph", spans }]);
    expect(body).toMatch(/^\n\u001b\]8;;[!-~]+\u001b\\a\u001b\]8;;\u001b\\$/);
  });
});

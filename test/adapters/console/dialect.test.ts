import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { createConsoleDialect } from "../../../adapters/console/dialect.ts";
import { parseMarkdown } from "../../../src/text/markdown.ts";
import { createPager } from "../../../src/text/paginate.ts";
import { describeLaws } from "../../text/laws.ts";

const pipe = createConsoleDialect({ color: false });
const terminal = createConsoleDialect({ color: true, columns: 40, rows: 8 });

describeLaws({ name: "a pipe", dialect: pipe, read: (body) => body, runs: 40 });
describeLaws({ name: "a terminal", dialect: terminal, read: stripVTControlCharacters, runs: 12 });

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

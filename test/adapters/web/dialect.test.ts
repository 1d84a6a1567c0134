import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createWebDialect } from "../../../adapters/web/index.ts";
import type { Span } from "../../../src/text/block.ts";
import { parseMarkdown } from "../../../src/text/parse/markdown.ts";
import { createPager } from "../../../src/text/paginate/paginate.ts";
import { documents, scrambled, strings } from "../../text/documents.ts";
import { describeLaws } from "../../text/laws.ts";
import { readHtml } from "./html.ts";
import { runs } from "../../support/runs.ts";

const dialect = createWebDialect();

function print(markdown: string): string {
  return dialect.print(parseMarkdown(markdown)).html;
}

function printSpans(...spans: readonly Span[]): string {
  return dialect.print([{ type: "paragraph", spans }]).html;
}

describeLaws({ name: "the web", dialect, read: ({ html }) => readHtml(html), usual: 18 });

describe("nothing of the model's is HTML", () => {
  test.each(Object.entries({ documents, scrambled, strings }))("%s", (_, input) => {
    fc.assert(
      fc.property(input, (text) => {
        for (const { html } of createPager(dialect).pages(text, true)) readHtml(html);
      }),
      { numRuns: runs(35) },
    );
  });

  const nasty = fc.string({
    unit: fc.constantFrom(
      "<",
      ">",
      '"',
      "'",
      "&",
      "&lt;",
      "<script>",
      "</p>",
      "<!--",
      "]]>",
      "\0",
      "\u2028",
      "javascript:",
      "a",
      "\n",
      "`",
    ),
  });

  test("whatever stands in texts, links, formulas and languages", () => {
    fc.assert(
      fc.property(nasty, nasty, fc.constantFrom("https://x.y/", "mailto:", ""), (text, more, scheme) => {
        const href = scheme + more;
        const html = dialect.print([
          {
            type: "paragraph",
            spans: [
              { text: `a${text}`, href },
              { text: more, tex: text },
            ],
          },
          { type: "code", language: more, text },
        ]).html;
        expect(readHtml(html)).toContain(text.replace(/(?!\n)[\p{Cc}]/gu, ""));
      }),
      { numRuns: runs(175) },
    );
  });

  test.each([
    ["<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"],
    ['<img src=x onerror="alert(1)">', "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;"],
    ["a ]]> b <!-- c", "a ]]&gt; b &lt;!-- c"],
    ["a\0b\u001b[2J\u202ec", "ab[2Jc"],
  ])("%j", (text, shown) => {
    expect(printSpans({ text })).toBe(`<p dir="auto">${shown}</p>`);
  });

  test.each([
    "javascript:alert(1)",
    "JAVASCRIPT:alert(1)",
    " javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "//x.y",
    "https:",
    "vbscript:x",
    "/etc",
  ])("%j is no link", (href) => {
    const html = printSpans({ text: "a", href });
    expect(html).not.toContain("<a");
    expect(readHtml(html)).toBe(`a (${href})`);
  });
});

describe("links", () => {
  const attributes = 'rel="noopener noreferrer nofollow" target="_blank"';

  test("open a page of their own that does not know where from", () => {
    expect(print("[a **b**](https://x.y/?a=1&b=2)")).toBe(
      `<p dir="auto"><a href="https://x.y/?a=1&amp;b=2" ${attributes}>a <strong>b</strong></a></p>`,
    );
    expect(print("me@x.y")).toBe(`<p dir="auto"><a href="mailto:me@x.y" ${attributes}>me@x.y</a></p>`);
    expect(printSpans({ text: "a", href: 'https://x.y/"onclick="alert(1)' })).toContain(
      'href="https://x.y/&quot;onclick=&quot;alert(1)" rel',
    );
  });

  test("stand for images: nothing is loaded that nobody clicked on", () => {
    expect(print("![alt](https://x.y/z.png)")).toBe(
      `<p dir="auto"><a href="https://x.y/z.png" ${attributes}>alt</a></p>`,
    );
  });
});

describe("styles", () => {
  test("are tags, and classes where HTML has none", () => {
    expect(print("**a** *b* ~~c~~ `d` ||e||")).toBe(
      '<p dir="auto"><strong>a</strong> <em>b</em> <s>c</s> <code>d</code> <span class="spoiler" tabindex="0">e</span></p>',
    );
  });

  test("formulas say how they were written", () => {
    expect(printSpans({ text: "x²", tex: 'x^2 "<' })).toBe(
      '<p class="formula" dir="auto"><span class="math" dir="ltr" title="x^2 &quot;&lt;">x²</span></p>',
    );
  });

  test("lines end where they ended", () => {
    expect(print("a\nb")).toBe('<p dir="auto">a<br>\nb</p>');
  });
});

describe("blocks", () => {
  test("headings begin below that of the page", () => {
    expect(print("# a\n\n###### b")).toBe('<h2 dir="auto">a</h2>\n<h6 dir="auto">b</h6>');
  });

  test("code names its language, if it is one", () => {
    expect(print("```c++\na < b\n```")).toBe(
      '<pre dir="ltr"><code class="language-c++">a &lt; b</code></pre>',
    );
    expect(dialect.print([{ type: "code", language: 'x" onclick="y', text: "a" }]).html).toBe(
      '<pre dir="ltr"><code>a</code></pre>',
    );
  });

  test("lists within lists, and numbers that do not begin with one", () => {
    expect(print("3. a\n   - b\n4. c")).toBe(
      '<ol start="3" dir="auto">\n<li dir="auto">a\n<ul dir="auto">\n<li dir="auto">b</li>\n</ul></li>\n<li dir="auto">c</li>\n</ol>',
    );
  });

  test("tasks are boxes that cannot be ticked", () => {
    expect(print("- [x] a\n- [ ] b")).toBe(
      '<ul class="tasks" dir="auto">\n<li dir="auto"><label><input type="checkbox" disabled checked> a</label></li>\n<li dir="auto"><label><input type="checkbox" disabled> b</label></li>\n</ul>',
    );
  });

  test("quotes and rules", () => {
    expect(print("> a\n> > b\n\n---")).toBe(
      '<blockquote>\n<p dir="auto">a</p>\n<blockquote>\n<p dir="auto">b</p>\n</blockquote>\n</blockquote>\n<hr>',
    );
  });

  test("tables say how their columns are aligned, without styles", () => {
    expect(print("| A | B |\n|---|--:|\n| **a** | 1 |")).toBe(
      '<div class="table"><table>\n<thead>\n<tr><th scope="col" dir="auto">A</th><th class="right" scope="col" dir="auto">B</th></tr>\n</thead>\n<tbody>\n<tr><td dir="auto"><strong>a</strong></td><td class="right" dir="auto">1</td></tr>\n</tbody>\n</table></div>',
    );
  });
});

test("what goes on from the piece before says so, and goes on with its number", () => {
  const list = Array.from({ length: 800 }, (_, n) => `${n + 1}. item ${n + 1}`).join("\n");
  const pages = createPager(dialect).pages(list, true);
  expect(pages.length).toBeGreaterThan(1);
  expect(pages[1]?.html).toMatch(/^<ol class="continues" start="(\d+)" dir="auto">\n<li dir="auto">item \1</);
  const [, second] = createPager(dialect).pages("word ".repeat(8000), true);
  expect(second?.html).toMatch(/^<p class="continues" dir="auto">word /);
  const [, more] = createPager(dialect).pages(`| H |\n|---|\n${"| cell |\n".repeat(900)}`, true);
  expect(more?.html).toMatch(
    /^<div class="table continues"><table>\n<thead>\n<tr><th scope="col" dir="auto">H</,
  );
});

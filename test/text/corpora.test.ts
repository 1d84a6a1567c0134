import fc from "fast-check";
import createMarkdownIt, { type Token } from "markdown-it";
import { describe, expect, test } from "vitest";
import { createConsoleDialect } from "../../adapters/console/dialect.ts";
import { createDingtalkDialect } from "../../adapters/dingtalk/dialect/dialect.ts";
import { createDiscordDialect } from "../../adapters/discord/dialect/dialect.ts";
import { createTelegramDialect } from "../../adapters/telegram/dialect/dialect.ts";
import { createWebDialect } from "../../adapters/web/dialect.ts";
import type { Block, Span } from "../../src/text/block.ts";
import type { Dialect } from "../../src/text/dialect/dialect.ts";
import { parseMarkdown } from "../../src/text/parse/markdown.ts";
import { createPager } from "../../src/text/paginate/paginate.ts";
import { commonmark, extensions, readmes, type Sample, specification } from "./corpora.ts";
import { outlineOf, outlineOfHtml } from "./outline.ts";
import { runs } from "../support/runs.ts";

/** What people wrote, as against what a generator makes up; `documents.ts` has the latter. */
const CORPORA = { commonmark: commonmark(), extensions: extensions(), readmes: readmes() };
const examples = [...CORPORA.commonmark, ...CORPORA.extensions];

/** Where we mean something else than CommonMark, by the number of the example. */
const DEVIATIONS: Readonly<Record<string, readonly number[]>> = {
  "some tags in a line mean a style or a break, and all other HTML is text": [166, 168, 616],
  "bare addresses are links, as on GitHub": [602, 608, 611, 612],
  "a definition that nothing before it refers to is shown": [
    207, 210, 317, 537, 538, 545, 563, 565, 567, 571, 592,
  ],
  "a definition stands in one line, and its address is not empty": [193, 195, 196, 198, 200, 208, 217, 541],
  "what may become a reference later has its brackets to itself": [523, 533, 569],
  "a fence without code shows what stands behind it": [144],
  "the address of an image within a link stands behind its description": [517],
  "the description of an image that is defined elsewhere keeps its styles": [573, 576, 577, 585, 589],
};

describe("CommonMark's examples have the structure that the specification gives", () => {
  const deviating = new Set(Object.values(DEVIATIONS).flat());
  const plain = createMarkdownIt("commonmark", { html: false });
  const withHtml = createMarkdownIt("commonmark");
  /** Of what has HTML in it, the specification says nothing that applies to us: then another parser, that has none. */
  const expected = ({ markdown, html }: { markdown: string; html: string }) => {
    const rendered = plain.render(markdown);
    return outlineOfHtml(rendered === withHtml.render(markdown) ? html : rendered);
  };

  const sections = [...new Set(specification().map(({ section }) => section))];
  test.each(sections)("%s", (section) => {
    for (const example of specification().filter((each) => each.section === section)) {
      const ours = outlineOf(parseMarkdown(example.markdown));
      const message = `example ${example.number}: ${JSON.stringify(example.markdown)}`;
      if (deviating.has(example.number)) expect(ours, message).not.toEqual(expected(example));
      else expect(ours, message).toEqual(expected(example));
    }
  });
});

/** A page that remembers what it was printed from. */
interface Page {
  readonly blocks: readonly Block[];
  readonly fits: boolean;
  /** What a person reads. */
  readonly shown: string;
}

const DIALECTS = {
  Telegram: remembering(createTelegramDialect(), ({ text }) => text),
  Discord: remembering(createDiscordDialect(), ({ content }) => content),
  DingTalk: remembering(createDingtalkDialect(), ({ text }) => text),
  web: remembering(createWebDialect(), ({ html }) => textOfHtml(html)),
  console: remembering(createConsoleDialect({ color: false, columns: 80, rows: 24 }), (body) => body),
};

function textOfHtml(html: string): string {
  return createMarkdownIt().utils.unescapeAll(html.replace(/<[^>]*>/g, " "));
}

function remembering<Body>(dialect: Dialect<Body>, read: (body: Body) => string): Dialect<Page> {
  return {
    limits: dialect.limits,
    print: (blocks) => {
      const body = dialect.print(blocks);
      return { blocks, fits: dialect.fits(body), shown: read(body) };
    },
    fits: ({ fits }) => fits,
  };
}

describe.each(Object.entries(DIALECTS))("real Markdown for %s", (_, dialect) => {
  test.each(Object.entries(CORPORA))(
    "%s: every page fits, nothing is lost, nothing is said twice",
    (_, samples) => {
      for (const sample of samples) {
        const pages = createPager(dialect).pages(sample.markdown, true);
        expect(pages.every(({ fits }) => fits)).toBe(true);
        for (const { blocks, shown } of pages)
          expectWithin(lettersOf(wordsIn(blocks, true)), lettersOf(shown), sample);
        const said = lettersOf(pages.map(({ blocks }) => wordsIn(blocks, false)).join(""));
        expectWithin(lettersOf(independentReading(sample.markdown)), said, sample);
        expectWithin(said, lettersOf(withReferences(sample.markdown)), sample);
      }
    },
  );

  const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 4 });
  test.each([
    ["examples", examples, 150],
    ["readmes", CORPORA.readmes, 8],
  ] as const)("%s: a full page stays, in whatever pieces the text comes", (_, samples, usual) => {
    fc.assert(
      fc.property(fc.constantFrom(...samples), cuts, ({ markdown }, places) => {
        const whole = createPager(dialect).pages(markdown, true);
        const fed = createPager(dialect);
        for (const place of places.toSorted((a, b) => a - b)) {
          const prefix = markdown.slice(0, Math.round(place * markdown.length));
          const pages = createPager(dialect).pages(prefix, false);
          expect(fed.pages(prefix, false)).toEqual(pages);
          expect(pages.every(({ fits }) => fits)).toBe(true);
          expect(pages.slice(0, -1)).toEqual(whole.slice(0, Math.max(0, pages.length - 1)));
        }
        expect(fed.pages(markdown, true)).toEqual(whole);
      }),
      { numRuns: runs(usual) },
    );
  });
});

/**
 * All words of blocks in order: of a formula its source, of code its language too, of a task that is done its `x`.
 * The head of a table that goes on counts if it is printed again.
 */
function wordsIn(blocks: readonly Block[], printed: boolean): string {
  return blocks
    .map((block) => {
      switch (block.type) {
        case "paragraph":
        case "heading":
          return textOf(block.spans, printed);
        case "code":
          return printed || block.continues ? block.text : `${block.language} ${block.text}`;
        case "quote":
          return wordsIn(block.blocks, printed);
        case "list":
          return block.items
            .map(
              (item) =>
                (item.checked && !printed && !item.continues ? "x" : "") + wordsIn(item.blocks, printed),
            )
            .join("");
        case "table": {
          // In cards the head stands before each value: only the rows are in order.
          const head = printed || block.continues ? [] : [block.head];
          return [...head, ...block.rows]
            .map((row) => row.map((cell) => textOf(cell, printed)).join(""))
            .join("");
        }
        case "rule":
          return "";
      }
    })
    .join("");
}

function textOf(spans: readonly Span[], printed: boolean): string {
  return spans.map(({ text, tex }) => (printed ? text : (tex ?? text))).join("");
}

const TAGS = /<\/?(?:br|b|strong|i|em|s|del|strike|code|kbd|samp|sub|sup|u|ins|mark|small)\s{0,3}\/?>/gi;

/** What plain markdown-it takes for text; the tags that mean something to us are left out. */
function independentReading(markdown: string): string {
  const parser = createMarkdownIt({ html: false });
  parser.normalizeLinkText = (url) => url;
  const read = ({ type, content, children }: Token): string => {
    if (children && type !== "image") return children.map(read).join("");
    return type === "image" ? (children ?? []).map(read).join("") : content;
  };
  return parser.parse(markdown.replace(TAGS, " "), {}).map(read).join(" ");
}

/** The source, with what its character references stand for behind each: all that can be said of it. */
function withReferences(markdown: string): string {
  const { unescapeAll } = createMarkdownIt().utils;
  return markdown.replace(/&#?\w+;/g, (reference) => reference + unescapeAll(reference));
}

function lettersOf(text: string): string {
  return (
    text
      .normalize("NFKC")
      .toLowerCase()
      // What becomes of a capital sigma depends on whether a letter follows.
      .replaceAll("ς", "σ")
      .replace(/[^\p{L}\p{N}]/gu, "")
  );
}

/** All letters of the one are in the other, in order. */
function expectWithin(few: string, many: string, { markdown }: Pick<Sample, "markdown">): void {
  let at = 0;
  for (const [index, letter] of Array.from(few).entries()) {
    at = many.indexOf(letter, at) + letter.length;
    if (at >= letter.length) continue;
    expect.fail(
      `…${few.slice(Math.max(0, index - 40), index)}⟨${few.slice(index, index + 20)}⟩ is not all in ${many.slice(0, 200)}, from ${JSON.stringify(markdown.slice(0, 300))}`,
    );
  }
}

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Block, Span } from "../../src/text/block.ts";
import type { Dialect } from "../../src/text/dialect/dialect.ts";
import { parseMarkdown } from "../../src/text/parse/markdown.ts";
import { createPager } from "../../src/text/paginate/paginate.ts";
import { runs } from "../support/runs.ts";
import { documents, scrambled, strings } from "./documents.ts";

export interface Laws<Body> {
  readonly name: string;
  readonly dialect: Dialect<Body>;
  /** What a person reads of a page. */
  readonly read: (body: Body) => string;
  /** How many cases each law is tried on. */
  readonly usual?: number;
}

/** A page that remembers what it was printed from. */
interface Page<Body> {
  readonly blocks: readonly Block[];
  readonly body: Body;
}

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 });
const INPUTS = { documents, "scrambled marks": scrambled, "any strings": strings };

/** The laws of paging, for one dialect and any text. */
export function describeLaws<Body>({ name, dialect, read, usual = 50 }: Laws<Body>): void {
  const remembering: Dialect<Page<Body>> = {
    limits: dialect.limits,
    print: (blocks) => ({ blocks, body: dialect.print(blocks) }),
    fits: ({ body }) => dialect.fits(body),
  };
  const pagesOf = (text: string, ended = true) => createPager(remembering).pages(text, ended);

  describe(`the laws of paging for ${name}`, () => {
    test("nothing printed fits, and so does any one character", () => {
      expect(dialect.fits(dialect.print([]))).toBe(true);
      expect(dialect.fits(dialect.print([{ type: "paragraph", spans: [{ text: "*" }] }]))).toBe(true);
    });

    describe.each(Object.entries(INPUTS))("%s", (_, input) => {
      test("every page fits, and together they say what the text says", () => {
        fc.assert(
          fc.property(input, (text) => {
            const pages = pagesOf(text);
            expect(pages.every(({ body }) => dialect.fits(body))).toBe(true);
            for (const page of pages)
              expectSaid(lettersOf(wordsIn(page.blocks, true)), lettersOf(read(page.body)));
            const said = pages.map((page) => wordsIn(page.blocks, false)).join("");
            expect(visibleOf(said)).toBe(visibleOf(wordsIn(parseMarkdown(text), false)));
          }),
          { numRuns: runs(usual) },
        );
      });

      test("no page cuts a grapheme", () => {
        fc.assert(
          fc.property(input, (text) => {
            const pages = pagesOf(text);
            for (const [index, page] of pages.entries())
              expectWhole(pages[index - 1]?.blocks ?? [], page.blocks);
          }),
          { numRuns: runs(usual) },
        );
      });

      test("a full page never changes, in whatever pieces the text comes", () => {
        fc.assert(
          fc.property(input, cuts, (text, places) => {
            const whole = pagesOf(text).map(({ body }) => body);
            const fed = createPager(dialect);
            for (const place of places.sort((a, b) => a - b)) {
              const prefix = text.slice(0, Math.round(place * text.length));
              const growing = createPager(dialect).pages(prefix, false);
              expect(growing.every((body) => dialect.fits(body))).toBe(true);
              expect(fed.pages(prefix, false)).toEqual(growing);
              const full = growing.slice(0, -1);
              expect(full).toEqual(whole.slice(0, full.length));
            }
            expect(fed.pages(text, true)).toEqual(whole);
          }),
          { numRuns: runs(usual) },
        );
      });
    });
  });
}

/** All words of blocks in order; the head of a table that goes on counts if it is printed again. */
function wordsIn(blocks: readonly Block[], repeated: boolean): string {
  return blocks
    .map((block) => {
      switch (block.type) {
        case "paragraph":
        case "heading":
          return textOf(block.spans);
        case "code":
          return block.text;
        case "quote":
          return wordsIn(block.blocks, repeated);
        case "list":
          return block.items.map((item) => wordsIn(item.blocks, repeated)).join("");
        case "table": {
          // In cards the head stands before each value: only the rows are in order.
          const head = repeated || block.continues ? [] : [block.head];
          return [...head, ...block.rows].map((row) => row.map(textOf).join("")).join("");
        }
        case "rule":
          return "";
      }
    })
    .join("");
}

function textOf(spans: readonly Span[]): string {
  return spans.map(({ text }) => text).join("");
}

function lettersOf(text: string): string {
  return text.normalize("NFC").replace(/[^\p{L}\p{N}]/gu, "");
}

function visibleOf(text: string): string {
  return text.replace(/[\s\p{Cc}\p{Cf}\p{Z}\p{Default_Ignorable_Code_Point}\u2800\ufffc]/gu, "");
}

/** All letters of `words` are there, in order; there may be more, such as addresses and heads. */
function expectSaid(words: string, shown: string): void {
  let at = 0;
  for (const letter of words) {
    at = shown.indexOf(letter, at) + 1;
    if (at === 0) expect.fail(`${JSON.stringify(words)} is not all in ${JSON.stringify(shown)}`);
  }
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** More than this many UTF-16 units are no grapheme that anyone wrote. */
const MAX_GRAPHEME = 64;

function expectWhole(before: readonly Block[], after: readonly Block[]): void {
  const right = textThatGoesOn(after[0]);
  const left = wordsIn(before, true);
  if (!right || /^\s/.test(right)) return;
  const place = Math.min(200, left.length);
  const found = graphemes.segment(left.slice(-200) + right.slice(0, 200)).containing(place);
  if (!found || found.segment.length > MAX_GRAPHEME) return;
  // Not by `expect`, which takes longer than all else here.
  if (found.index !== place) expect.fail(`${JSON.stringify(found.segment)} is cut`);
}

/** The text at the beginning of a page, if its beginning is on the page before. */
function textThatGoesOn(block: Block | undefined): string {
  if (!block?.continues) return "";
  if (block.type === "quote") return textThatGoesOn(block.blocks[0]);
  if (block.type !== "list") return block.type === "table" ? "" : wordsIn([block], true);
  return block.items[0]?.continues ? textThatGoesOn(block.items[0].blocks[0]) : "";
}

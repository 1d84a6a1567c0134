import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTelegramDialect, type TelegramBody } from "../../../adapters/telegram/dialect/dialect.ts";
import { isLinkable } from "../../../adapters/telegram/dialect/links.ts";
import { cleanDirections } from "../../../adapters/telegram/simulator/clean.ts";
import { checkLink } from "../../../adapters/telegram/simulator/links.ts";
import { Refusal } from "../../../adapters/telegram/simulator/refusal.ts";
import { readText } from "../../../adapters/telegram/simulator/text.ts";
import { createPager } from "../../../src/text/paginate/paginate.ts";
import {
  type Entity,
  type Formatted,
  type Refused,
  startTdlib,
  type Tdlib,
  whyNoTdlib,
} from "../../support/tdlib.ts";
import { commonmark, extensions, readmes } from "../../text/corpora.ts";
import { documents, scrambled, strings } from "../../text/documents.ts";
import { runs } from "../../support/runs.ts";

/**
 * The dialect and the simulator against TDLib, Telegram's own library, through which the Bot API's server works too.
 *
 * What cannot be asked offline, and is only written after its source: the trimming at both ends, the limit of 4096
 * characters, that a message needs something to see, and that only a hundred entities are kept. What the servers
 * behind it check again is not public.
 */
const missing = whyNoTdlib();

describe.skipIf(missing)(missing ?? "as Telegram's own code has it", () => {
  let tdlib: Tdlib;
  beforeAll(() => {
    tdlib = startTdlib();
  });
  afterAll(() => tdlib.stop());

  describe("the simulator", () => {
    test("takes and refuses the same texts, and makes the same of them", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(payloads, { minLength: 1, maxLength: 10 }), async (texts) => {
          const fixed = await tdlib.fix(texts);
          for (const [index, text] of texts.entries()) expectSame(text, fixed[index]);
        }),
        { numRuns: runs(84) },
      );
    });

    test("takes and refuses the same links, and makes the same of them", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(addresses, { minLength: 1, maxLength: 20 }), async (urls) => {
          const texts = urls.map((url) => linkTo(url));
          const fixed = await tdlib.fix(texts);
          for (const [index, text] of texts.entries()) expectSame(text, fixed[index]);
        }),
        { numRuns: runs(84) },
      );
    });
  });

  const dialect = createTelegramDialect();
  const pagesOf = (markdown: string) => createPager(dialect).pages(markdown, true);

  /** Every page is taken, and nothing of it is changed. */
  async function expectKept(pages: readonly TelegramBody[]): Promise<void> {
    const fixed = await tdlib.fix(pages);
    for (const [index, page] of pages.entries()) {
      expect(page.entities.length).toBeLessThanOrEqual(100);
      expect(looksOf(fixed[index])).toEqual(looksOf({ ...page, text: cleanDirections(page.text) }));
      expectSame(page, fixed[index]);
    }
  }

  describe("the dialect's pages are taken as they are", () => {
    test.each(Object.entries({ documents, scrambled, strings }))("%s", async (_, input) => {
      await fc.assert(
        fc.asyncProperty(input, async (markdown) => expectKept(pagesOf(markdown))),
        { numRuns: runs(42) },
      );
    });

    test.each(Object.entries({ commonmark, extensions, readmes }))("%s", async (_, corpus) => {
      const pages = corpus().map(({ markdown }) => pagesOf(markdown));
      for (const each of pages) await expectKept(each);
      expect(pages.flat().length).toBeGreaterThan(20);
    });
  });

  test("every link that the dialect takes is one", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(addresses, { minLength: 1, maxLength: 20 }), async (urls) => {
        const taken = urls.filter(isLinkable);
        const fixed = await tdlib.fix(taken.map(linkTo));
        expect(fixed.map((text) => ("refused" in text ? text : text.entities[0]?.type))).toEqual(
          taken.map(() => "text_link"),
        );
      }),
      { numRuns: runs(84) },
    );
  });
});

const WORDS = [
  ...Array.from("a\n\t\r\0\v\u{1f}\u00a0\u030a\u0333\u200b\u200e\u200f\u2028\u202e漢é😀"),
  "b c",
  "  ",
  "👩‍👩‍👧",
  "x".repeat(30),
  "**",
  "__",
  "`",
  "```",
  "@name",
  "http://a.b",
];

const TYPES = [
  "blockquote",
  "expandable_blockquote",
  "pre",
  "code",
  "text_link",
  "bold",
  "italic",
  "underline",
  "strikethrough",
  "spoiler",
];

/** Texts with formatting that nobody should send: overlapping, nested, cutting characters, out of bounds. */
const payloads: fc.Arbitrary<Formatted> = fc
  .array(fc.constantFrom(...WORDS), { maxLength: 25 })
  .chain((words) => {
    const text = words.toSpliced(words.length / 2, 0, "seen").join("");
    const characters = Array.from(text);
    const edges = characters.map((_, index) => characters.slice(0, index).join("").length);
    const edge = fc.oneof(
      { weight: 60, arbitrary: fc.constantFrom(...edges, text.length) },
      { weight: 1, arbitrary: fc.integer({ min: -1, max: text.length + 2 }) },
    );
    const entity = fc
      .tuple(fc.constantFrom(...TYPES), edge, edge, links, fc.constantFrom("", "js", "a\tb", "b\r", "c\n"))
      .map(([type, a, b, url, language]) => ({
        type,
        offset: Math.min(a, b),
        length: Math.abs(a - b),
        ...(type === "text_link" && { url }),
        ...(type === "pre" && { language }),
      }));
    return fc.record({ text: fc.constant(text), entities: fc.array(entity, { maxLength: 12 }) });
  });

const links = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.constantFrom("https://a.b/c", "a.b", "tg://x", "HTTP://A.B?x", "tg:user?id=5"),
  },
  { weight: 1, arbitrary: fc.constantFrom("", "http://localhost", "javascript:x") },
);

const PIECES = [
  ...Array.from(':/?#@.[]%&!_-\\"< \t\n\r\v\u202eaBé5'),
  ..."http:// https:// HTTP:// tg:// tg: ton:// tonsite: ftp:// javascript:".split(" "),
  ..."localhost example.org 日本.jp xn--p1ai user user?id=5 id=5 ::1 [::1] 1.2.3.4 a:b@ %2 %41 :80 :0 :65536 :080".split(
    " ",
  ),
];

/** Addresses, good, bad and odd. */
const addresses = fc.oneof(
  fc.array(fc.constantFrom(...PIECES), { maxLength: 7 }).map((pieces) => pieces.join("")),
  fc
    .tuple(fc.constantFrom("http://", "https://", ""), fc.array(fc.constantFrom(...PIECES), { maxLength: 4 }))
    .map(([protocol, pieces]) => `${protocol}example.org${pieces.join("")}`),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc.string({ unit: "binary", maxLength: 10 }),
);

function linkTo(url: string): Formatted {
  return { text: "link", entities: [{ type: "text_link", offset: 0, length: 4, url }] };
}

function expectSame(given: Formatted, fixed: Formatted | Refused | undefined): void {
  expect(simulated(given)).toEqual(fixed && ("refused" in fixed ? lowered(fixed) : trimmed(fixed)));
}

function simulated(given: Formatted): Formatted | Refused {
  try {
    return readText({ ...given });
  } catch (error) {
    if (error instanceof Refusal) return { refused: error.message.replace("Bad Request: ", "") };
    throw error;
  }
}

/** As the Bot API's server passes on what TDLib says (telegram-bot-api, Client.cpp: fail_query_with_error). */
function lowered({ refused }: Refused): Refused {
  return { refused: refused.slice(0, 1).toLowerCase() + refused.slice(1) };
}

/** As fix_formatted_text trims, had it been asked to: at the beginning only as far as no entity begins there. */
function trimmed({ text, entities }: Formatted): Formatted {
  const end = text.replace(/[ \n]+$/, "").length;
  const blanks = text.length - text.replace(/^[ \n]+/, "").length;
  const start = Math.min(blanks, entities[0]?.offset ?? blanks);
  const inside = entities
    .filter(({ offset }) => offset < end)
    .map((entity) => ({
      ...entity,
      offset: entity.offset - start,
      length: Math.min(entity.length, end - entity.offset),
    }));
  return { text: text.slice(start, end), entities: inside.toSorted(byPlace) };
}

/** Entities of one place come in a fixed order; to be cut at the end of the text may have moved some there. */
function byPlace(a: Entity, b: Entity): number {
  return a.offset - b.offset || b.length - a.length || rankOf(a) - rankOf(b);
}

function rankOf({ type }: Entity): number {
  return TYPES.indexOf(type === "text_mention" ? "text_link" : type);
}

const STYLES = new Set(["bold", "italic", "underline", "strikethrough", "spoiler"]);

/** What is seen: the text, what cannot be split, and the styles of each UTF-16 unit. */
function looksOf(text: Formatted | Refused | undefined): object | undefined {
  if (!text || "refused" in text) return text;
  const styles = Array.from({ length: text.text.length }, () => new Set<string>());
  for (const { type, offset, length } of text.entities.filter(isStyle)) {
    for (let at = offset; at < offset + length; at += 1) styles[at]?.add(type);
  }
  return {
    text: text.text,
    whole: text.entities.filter((entity) => !isStyle(entity)).map(withLink),
    styles: styles.map((set) => [...set].toSorted().join(" ")),
  };
}

function isStyle({ type }: Entity): boolean {
  return STYLES.has(type);
}

function withLink(entity: Entity): Entity {
  return entity.url === undefined ? entity : { ...entity, ...checkLink(entity.url) };
}

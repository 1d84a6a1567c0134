import * as fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { createTelegram, type TelegramOptions } from "../../../adapters/telegram/adapter.ts";
import { toAnsi } from "../../../adapters/telegram/dialect/ansi.ts";
import { createTelegramDialect, type TelegramBody } from "../../../adapters/telegram/dialect/dialect.ts";
import { telegramPayload } from "../../../adapters/telegram/send/payload.ts";
import { readable } from "../../../adapters/telegram/dialect/rich-read.ts";
import { plainBlocks, type SimulatedRich } from "../../../adapters/telegram/simulator/rich/rich.ts";
import { readRichMessage } from "../../../adapters/telegram/simulator/rich/blocks.ts";
import {
  startTelegramSimulator,
  type TelegramSimulatorOptions,
} from "../../../adapters/telegram/simulator/simulator.ts";
import { parseMarkdown } from "../../../src/text/parse/markdown.ts";
import { createPager } from "../../../src/text/paginate/paginate.ts";
import { failure } from "../../support/failure.ts";
import { captureLog } from "../../support/log.ts";
import { documents, scrambled, strings } from "../../text/documents.ts";
import { describeLaws } from "../../text/laws.ts";
import { runs } from "../../support/runs.ts";

const auto = createTelegramDialect();
const rich = createTelegramDialect({ rich: "rich" });
const TABLE = "| Name | Size |\n|---|--:|\n| a | **1** |\n| b | `2` |";
const read = (body: TelegramBody) => readable(body).text;

describeLaws({ name: "Telegram, auto", dialect: auto, read, usual: 24 });
describeLaws({ name: "Telegram, rich", dialect: rich, read, usual: 24 });

/** What the server makes of a page's rich form. */
function shown(body: TelegramBody | undefined): SimulatedRich {
  const payload = telegramPayload(body ?? { text: "", entities: [] });
  return readRichMessage("rich_message" in payload ? payload.rich_message : undefined);
}

/** Markdown as the server shows it where every page is rich. */
const show = (markdown: string) => shown(rich.print(parseMarkdown(markdown)));

test("the server takes every rich page, for any text", () => {
  fc.assert(
    fc.property(fc.oneof(documents, scrambled, strings), (text) => {
      for (const dialect of [auto, rich]) {
        for (const body of createPager(dialect).pages(text, true)) {
          if (body.rich === undefined) continue;
          const kinds = JSON.stringify(shown(body).blocks);
          expect(kinds).not.toMatch(/"type":"text_mention"/);
        }
      }
    }),
    { numRuns: runs(52) },
  );
});

describe("auto", () => {
  test("is classic where entities say it all", () => {
    const plain = "# Head\n\n**b** [l](https://a.b)\n\n- [x] done\n\n> quote\n\n```js\nx\n```\n\n---";
    expect(auto.print(parseMarkdown(plain)).rich).toBeUndefined();
  });

  test.each([TABLE, "- item\n\n  $x^2$", "> so $x$", "# $x$", "$$\nx\n$$"])(
    "%j has both forms",
    (markdown) => {
      const body = auto.print(parseMarkdown(markdown));
      expect(body.text).not.toBe("");
      expect(body.rich).toMatch(/<(table|tg-math)/);
    },
  );

  test("in classic nothing is rich", () => {
    const classic = createTelegramDialect({ rich: "classic" });
    expect(classic.print(parseMarkdown(TABLE))).not.toHaveProperty("rich");
  });

  test("both forms fit, so pages end where the tighter one does", () => {
    const row = `| ${"a | ".repeat(8)}\n`;
    const pages = createPager(auto).pages(`${row}|${"-|".repeat(8)}\n${row.repeat(400)}`, true);
    expect(pages.length).toBeGreaterThan(1);
    for (const body of pages) {
      expect(body.text.length).toBeLessThanOrEqual(4096);
      expect(shown(body).blocks).toMatchObject([{ type: "table" }]);
    }
  });
});

describe("what a rich message shows", () => {
  test("styles and links", () => {
    expect(
      show("**bold *both*** ~~gone~~ ||hid|| `a  <b>` [site](https://a.b/?x=1&y=2) [`c`](https://d.e)"),
    ).toEqual({
      blocks: [
        {
          type: "paragraph",
          text: [
            { type: "bold", text: ["bold ", { type: "italic", text: "both" }] },
            " ",
            { type: "strikethrough", text: "gone" },
            " ",
            { type: "spoiler", text: "hid" },
            " ",
            { type: "code", text: "a <b>" },
            " ",
            { type: "url", text: "site", url: "https://a.b/?x=1&y=2" },
            " ",
            { type: "code", text: { type: "url", text: "c", url: "https://d.e/" } },
          ],
        },
      ],
    });
  });

  test("blocks", () => {
    expect(show("# Head\n\na\\\nb\n\n```c++\n\tx < y\n```\n\n---\n\n> q\n> > r")).toEqual({
      blocks: [
        { type: "heading", size: 1, text: "Head" },
        { type: "paragraph", text: ["a", "\n", "b"] },
        { type: "pre", language: "c++", text: "    x < y" },
        { type: "divider" },
        {
          type: "blockquote",
          blocks: [
            { type: "paragraph", text: "q" },
            { type: "blockquote", blocks: [{ type: "paragraph", text: "r" }] },
          ],
        },
      ],
    });
  });

  test("tables, with alignment and empty cells", () => {
    expect(show(`${TABLE}\n| | c |`).blocks).toEqual([
      {
        type: "table",
        is_bordered: true,
        cells: [
          [
            { text: "Name", is_header: true, align: "left", valign: "middle" },
            { text: "Size", is_header: true, align: "right", valign: "middle" },
          ],
          [
            { text: "a", align: "left", valign: "middle" },
            { text: { type: "bold", text: "1" }, align: "right", valign: "middle" },
          ],
          [
            { text: "b", align: "left", valign: "middle" },
            { text: { type: "code", text: "2" }, align: "right", valign: "middle" },
          ],
          [
            { text: "\u00a0", align: "left", valign: "middle" },
            { text: "c", align: "right", valign: "middle" },
          ],
        ],
      },
    ]);
  });

  test("lists: numbers, boxes, and an item that has nothing yet", () => {
    expect(plainBlocks(show("3. a\n   - b\n4.\n5. c\n\n- [ ] d\n- [x] e").blocks)).toBe(
      "3. a\n• b\n5. c\n\n☐ d\n☑ e",
    );
  });

  test("formulas, the same whether they are read as HTML or as they stand", () => {
    const { blocks } = show("so $a<b$\n\n$$\n\\begin{matrix}a&b\\\\c&lt;\\end{matrix}\n$$");
    expect(blocks).toEqual([
      { type: "paragraph", text: ["so ", { type: "mathematical_expression", expression: "a\\lt b" }] },
      {
        type: "mathematical_expression",
        expression: "\\begin{matrix}a& b\\\\c& lt;\\end{matrix}",
      },
    ]);
  });

  test("a long quote is folded, if it is but text", () => {
    const long = "> word\n".repeat(20);
    expect(show(long).blocks).toMatchObject([{ type: "expandable_blockquote" }]);
    expect(show(`${long}>\n> - item`).blocks).toMatchObject([{ type: "blockquote" }]);
  });

  test.each([
    ["Hello", undefined],
    ["שלום world", true],
    ["`code` <3 مرحبا", true],
    ["english שלום", undefined],
  ])("%j: right to left is %s", (markdown, isRightToLeft) => {
    expect(show(markdown).is_rtl).toBe(isRightToLeft);
  });

  test("a table that is too wide for Telegram is a card a row", () => {
    const cells = (count: number, word: string) =>
      `|${Array.from({ length: count }, (_, i) => `${word}${i}|`).join("")}\n`;
    const table = (count: number) => `${cells(count, "h")}|${"-|".repeat(count)}\n${cells(count, "v")}`;
    expect(show(table(20)).blocks).toMatchObject([{ type: "table" }]);
    expect(plainBlocks(show(table(21)).blocks)).toContain("h20: v20");
    expect(auto.print(parseMarkdown(table(21))).rich).toBeUndefined();
  });

  test("lists that are too deep are lines, and nothing of them is lost", () => {
    const deep = Array.from({ length: 50 }, (_, i) => `${"  ".repeat(i)}- l${i} ***\`~~x~~\`***`).join("\n");
    const text = plainBlocks(show(`${deep}\n\n${TABLE}`).blocks);
    expect(text.match(/l\d+/g)).toHaveLength(50);
    const inner = Array.from({ length: 6 }, (_, i) => `${"   ".repeat(i)}1. x\n`).join("");
    const code = show(`${inner}${"   ".repeat(6)}1. \`\`\`\n${"   ".repeat(7)}code\n`).blocks;
    expect(plainBlocks(code)).toMatch(/1\.\s+code$/);
  });

  test("what goes on from the page before", () => {
    const item = (text: string, continues?: true) => ({
      blocks: [{ type: "paragraph", spans: [{ text }], ...(continues && { continues }) }] as const,
      ...(continues && { continues }),
    });
    const body = rich.print([
      { type: "list", start: 7, continues: true, items: [item("the rest", true), item("next")] },
    ]);
    expect(plainBlocks(shown(body).blocks)).toBe("the rest\n\n8. next");
    const rows = Array.from({ length: 900 }, (_, i) => `| row ${i} | x |\n`).join("");
    const pages = createPager(rich).pages(`| Head | Two |\n|---|---|\n${rows}`, true);
    expect(pages).toHaveLength(2);
    for (const page of pages) {
      const [first] = shown(page).blocks;
      const head = first?.type === "table" ? first.cells[0] : [];
      expect(head?.map(({ text }) => text)).toEqual(["Head", "Two"]);
    }
  });
});

describe("model text becomes no tag of its own", () => {
  test.each([
    '<tg-button type="url" url="https://evil.example">Press</tg-button>',
    '<img src="https://evil.example/x.png"/>',
    "![look](https://evil.example/x.png)",
    "[me](tg://user?id=777000)",
    '<a href="tg://user?id=777000">me</a>',
    "![👍](tg://emoji?id=5368324170671202286)",
    "@durov #tag /start +12345678901 me@example.org",
    '[x](https://a.b/"><tg-button>)',
    "```\n</code></pre><tg-button>x</tg-button>\n```",
    '```x"><tg-button>\ncode\n```',
    "$</tg-math><tg-button>x$",
    "$$\n</tg-math-block><tg-button>&lt;tg-button>\n$$",
    "| <td><tg-button> | </table> |\n|---|---|\n| <hr/> | &lt;b&gt; |",
    "&lt;tg-button&gt; &amp;lt;",
  ])("%j", (markdown) => {
    const text = JSON.stringify(show(markdown));
    expect(text).not.toMatch(
      /"type":"(?:text_mention|mention|hashtag|bot_command|button|custom_emoji|photo|email)/,
    );
    const body = rich.print(parseMarkdown(markdown));
    expect(telegramPayload(body)).toMatchObject({ rich_message: { skip_entity_detection: true } });
    expect(body.rich?.match(/<\/?[a-z-]+/g)?.filter((tag) => /button|img|video/.test(tag))).toEqual([]);
  });
});

async function setUp(simulator: TelegramSimulatorOptions = {}, options: Partial<TelegramOptions> = {}) {
  const telegram = await startTelegramSimulator(simulator);
  const { log, lines } = captureLog();
  const bot = createTelegram({ token: telegram.token, apiRoot: telegram.apiRoot, log, ...options });
  onTestFinished(() => telegram.close());
  telegram.say("ann", "hi");
  const question = telegram.screen("ann")[0]?.id ?? 0;
  return {
    telegram,
    bot,
    lines,
    to: { chat: telegram.chatId("ann"), question },
    print: (markdown: string) => bot.dialect.print(parseMarkdown(markdown)),
    last: () => telegram.screen("ann").at(-1),
    count: (name: string) => telegram.calls.filter(({ method }) => method === name).length,
  };
}

const REFUSED = {
  status: 400,
  body: { ok: false, error_code: 400, description: "Bad Request: RICH_MESSAGE_CONTENT_REQUIRED" },
};

describe("sent to a server that knows rich messages", () => {
  test("a page that needs it is rich, another is not", async () => {
    const { bot, to, print, last } = await setUp();
    await bot.send(to, print("just **text**"), "k#0");
    expect(last()).toMatchObject({ text: "just text", entities: [{ type: "bold" }] });
    expect(last()).not.toHaveProperty("rich");
    await bot.send(to, print(TABLE), "k#1");
    expect(last()).toMatchObject({ rich: { blocks: [{ type: "table" }] } });
  });

  test("a growing page becomes rich, and classic again", async () => {
    const { bot, to, print, last } = await setUp();
    const ref = await bot.send(to, print("so:"), "k#0");
    await bot.edit?.(to, ref, print(`so:\n\n${TABLE}`));
    expect(last()).toMatchObject({
      id: Number(ref),
      rich: { blocks: [{ type: "paragraph" }, { type: "table" }] },
    });
    await bot.edit?.(to, ref, print(`so:\n\n${TABLE}`));
    await bot.edit?.(to, ref, print("so:"));
    expect(last()).toMatchObject({ id: Number(ref), text: "so:", edits: 2 });
    expect(last()).not.toHaveProperty("rich");
  });

  test("a rich form that is refused is the classic one, and the next is rich again", async () => {
    const { telegram, bot, to, print, last, lines } = await setUp();
    telegram.fail({ method: "sendRichMessage", how: REFUSED });
    const ref = await bot.send(to, print(TABLE), "k#0");
    expect(last()).toMatchObject({
      text: expect.stringContaining("Name | Size"),
      entities: [{ type: "pre" }],
    });
    telegram.fail({ method: "editMessageText", how: REFUSED });
    await bot.edit?.(to, ref, print(`${TABLE}\n| c | 3 |`));
    expect(last()).not.toHaveProperty("rich");
    expect(lines()).toContain("without its rich form");
    await bot.send(to, print(TABLE), "k#1");
    expect(last()).toHaveProperty("rich");
  });

  test("a message of unknown fate is found by its place", async () => {
    const { telegram, bot, to, print, last, count } = await setUp();
    telegram.fail({ method: "sendRichMessage", how: "after" });
    await failure(bot.send(to, print(TABLE), "k#0"));
    const ref = await bot.recovery?.find?.(to, print(TABLE), [], "k#0");
    expect(ref).toBe(String(last()?.id));
    expect(await bot.recovery?.find?.(to, print(TABLE), [ref ?? ""], "k#0")).toBeUndefined();
    expect(count("sendMessage")).toBe(0);
    // Of a message that is not there no other form is tried.
    expect(telegram.calls.every(({ payload }) => "rich_message" in payload)).toBe(true);
  });

  test("where all is rich, long pages are one message", async () => {
    const { bot, to, last } = await setUp({}, { rich: "rich" });
    const markdown = "A sentence to fill pages. ".repeat(400);
    const [page, ...others] = createPager(bot.dialect).pages(markdown, true);
    expect(others).toEqual([]);
    await bot.send(to, page ?? bot.dialect.print([]), "k#0");
    expect(last()?.text).toBe(markdown.trim());
  });

  test("where all is rich, a page that is refused is text, if it is not too long for that", async () => {
    const { telegram, bot, to, print, last } = await setUp({}, { rich: "rich" });
    telegram.fail({ method: "sendRichMessage", how: REFUSED, times: 2 });
    await bot.send(to, print(`**so**\n\n${TABLE}`), "k#0");
    expect(last()?.text).toBe("so\n\nName | Size\n-----+-----\na    | 1\nb    | 2");
    expect(last()?.entities).toMatchObject([{ type: "bold" }, { type: "pre" }]);
    const error = await failure(bot.send(to, print("long ".repeat(1000)), "k#1"));
    expect(error).toMatchObject({ code: "telegram_400", permanent: true });
  });
});

describe("sent to a server that knows no rich messages", () => {
  test("pages are classic, and it is asked only once", async () => {
    const { bot, to, print, last, count, lines } = await setUp({ rich: false });
    const ref = await bot.send(to, print(TABLE), "k#0");
    expect(last()).toMatchObject({ id: Number(ref), entities: [{ type: "pre" }] });
    await bot.edit?.(to, ref, print(`${TABLE}\n| c | 3 |`));
    await bot.send(to, print(TABLE), "k#1");
    expect(count("sendRichMessage")).toBe(1);
    expect(count("editMessageText")).toBe(1);
    expect(lines().match(/does not support rich messages/g)).toHaveLength(1);
  });

  test("an edit finds it out, too", async () => {
    const { bot, to, print, last, count } = await setUp({ rich: false });
    const ref = await bot.send(to, print("so:"), "k#0");
    await bot.edit?.(to, ref, print(`so:\n\n${TABLE}`));
    expect(last()).toMatchObject({
      text: expect.stringContaining("Name | Size"),
      entities: [{ type: "pre" }],
    });
    await bot.send(to, print(TABLE), "k#1");
    expect(count("sendRichMessage")).toBe(0);
  });

  test("where all is to be rich, the operator is told what to set", async () => {
    const { bot, to, print } = await setUp({ rich: false }, { rich: "rich" });
    for (const key of ["k#0", "k#1"]) {
      const error = await failure(bot.send(to, print("hello"), key));
      expect(error).toMatchObject({ code: "telegram_rich", permanent: true });
      expect(error.message).toContain("TELEGRAM_RICH");
    }
  });
});

describe("the simulator refuses", () => {
  const html = (source: string) => () => readRichMessage({ html: source, skip_entity_detection: true });

  test.each([
    ["", "non-empty"],
    ["<p> </p>", "CONTENT_REQUIRED"],
    ["<p>a<ul><li>b</li></ul></p>", "CONTENT_REQUIRED"],
    ["<h2></h2>", "CONTENT_REQUIRED"],
    ["<ul>a</ul>", "CONTENT_REQUIRED"],
    ["<tg-button>x</tg-button>", "Unsupported start tag"],
    ["<p>a < b</p>", "Unsupported start tag"],
    ["<p>a</b>", "Unmatched end tag"],
    ["<p>a", "end tag"],
    ["<p>&copy;</p>", "Unsupported character reference"],
    ['<p><a href="http://localhost">x</a></p>', "URL_INVALID"],
    [`<p>${"a".repeat(32_769)}</p>`, "TEXT_TOO_LONG"],
    ["<hr/>".repeat(501), "BLOCKS_TOO_MANY"],
    [`<table><tr>${"<td>a</td>".repeat(21)}</tr></table>`, "COLUMNS"],
    [`${"<blockquote>".repeat(17)}a${"</blockquote>".repeat(17)}`, "DEPTH"],
    // 35 000 bytes are read, and what is beyond is not seen.
    [`<p>${"漢".repeat(12_000)}</p>`, "end tag"],
  ])("(%#)", (source, why) => {
    expect(html(source)).toThrow(why);
  });

  test("nothing of the right size", () => {
    expect(html(`<p>${"a".repeat(32_768)}</p>`)().blocks).toHaveLength(1);
    expect(html("<hr/>".repeat(500))().blocks).toHaveLength(500);
  });
});

test("a terminal shows what the rich form says", () => {
  const text = readable(rich.print(parseMarkdown(`# T\n\n1. a\n   - b\n\n${TABLE}\n\n> so $x<2$`))).text;
  expect(text).toBe("T\n\n1. a\n  • b\n\nName | Size\n-----+-----\na    | 1\nb    | 2\n\nso x<2");
  expect(toAnsi(rich.print(parseMarkdown("**b**")))).toBe("\u001b[1mb\u001b[22m");
});

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createDingtalkDialect } from "../../adapters/dingtalk/dialect/dialect.ts";
import { dingtalkPayload } from "../../adapters/dingtalk/send/payload.ts";
import { createDiscordDialect } from "../../adapters/discord/dialect/dialect.ts";
import { discordPayload } from "../../adapters/discord/send/payload.ts";
import { pingsOf } from "../../adapters/discord/simulator/mentions.ts";
import { createTelegramDialect, type TelegramBody } from "../../adapters/telegram/dialect/dialect.ts";
import { withoutActs } from "../../adapters/telegram/dialect/mentions.ts";
import { telegramPayload } from "../../adapters/telegram/send/payload.ts";
import { createWrite } from "../../adapters/telegram/send/write.ts";
import { TelegramRefusal } from "../../adapters/telegram/errors.ts";
import { createPager } from "../../src/text/paginate/paginate.ts";
import { captureLog } from "../support/log.ts";
import { runs } from "../support/runs.ts";
import { type Entity, type Formatted, startTdlib, type Tdlib, whyNoTdlib } from "../support/tdlib.ts";

/** What notifies somebody, or does something in the app, if Telegram takes it for more than text. */
const ACTS = [
  "Ask @durov_name now",
  "(@durov)",
  "@durov",
  "cc @alice, @bob_b and @gif.",
  "**@**durov",
  "@du**rov_x**y",
  "*@durov*",
  "> @durov",
  "- @durov\n- x/@durov",
  "| a | b |\n|---|---|\n| @durov | x |",
  "# @durov",
  "[@durov](https://a.example) and @durov",
  "[@durov](tg://user?id=5)",
  "[me](tg://user?id=5)",
  "[join](tg://join?invite=x)",
  "[proxy](tg://proxy?server=a.b&port=1)",
  "<tg://resolve?domain=durov>",
  "tg://user?id=5 and TG://settings, ton://transfer/x tonsite://a.ton",
  "![x](tg://user?id=5)",
  "https://localhost/@durov http://a,@durov",
  "@durov@durov2",
  "tg:resolve@x.com tg:@x.com",
  "\u2060@durov",
];

/** In these TDLib drops what it has found (merge_new_entities): what is said to be code or a link is nothing else. */
const CLOSED = new Set(["code", "pre", "text_link"]);

const missing = whyNoTdlib();

describe.skipIf(missing)(missing ?? "Telegram, as its own code has it,", () => {
  let tdlib: Tdlib;
  beforeAll(() => {
    tdlib = startTdlib();
  });
  afterAll(() => tdlib.stop());

  const classic = createTelegramDialect({ rich: "classic" });
  const pagesOf = (markdown: string) => createPager(classic).pages(markdown, true);

  async function actsIn(pages: readonly Formatted[]): Promise<string[]> {
    const found = await tdlib.find(pages.map(({ text }) => text));
    return pages.flatMap(({ text, entities }, index) => {
      const closed = entities.filter(({ type }) => CLOSED.has(type));
      const own = found[index]?.filter((entity) => !closed.some((other) => overlap(entity, other))) ?? [];
      const given = entities.filter(({ url }) => url !== undefined && !/^https?:/i.test(url));
      return [...own.filter((entity) => acts(entity, text)), ...given].map(
        ({ type, offset, length }) => `${type} ${text.slice(offset, offset + length)}`,
      );
    });
  }

  test("takes a name for a mention, and an address of the app for a link, unless they are broken", async () => {
    expect(await actsIn([{ text: "hi @durov_name, tg://user?id=5", entities: [] }])).toEqual([
      "Mention @durov_name",
      "Url tg://user?id=5",
    ]);
  });

  test.each(ACTS)("nobody is notified, and nothing done, by %j", async (markdown) => {
    expect(await actsIn(pagesOf(markdown))).toEqual([]);
  });

  test("by no text at all", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(texts, { minLength: 1, maxLength: 20 }), async (all) => {
        expect(await actsIn(all.map((text) => withoutActs({ text, entities: [] })))).toEqual([]);
      }),
      { numRuns: runs(84) },
    );
  });

  test("by no Markdown", async () => {
    await fc.assert(
      fc.asyncProperty(texts, async (markdown) => {
        expect(await actsIn(pagesOf(markdown))).toEqual([]);
      }),
      { numRuns: runs(84) },
    );
  });

  test("nothing is put into what is code, a link or an address", () => {
    const markdown = [
      "`npm i @types/node`, [@docs](https://a.example/@docs)",
      "ann@example.com and https://a.example/@durov/x?y=@durov#@durov",
      "```ts\nimport x from '@scope/x'; // tg://user\n```",
    ].join("\n\n");
    const text = pagesOf(markdown)
      .map((page) => page.text)
      .join("");
    expect(text).not.toContain("\u2060");
    expect(text).toContain("https://a.example/@durov/x?y=@durov#@durov");
  });

  test("an address is the same link as before", async () => {
    const urls = [
      "https://a.example/@durov",
      "http://a.example:80/x/@durov?@durov",
      "https://1.a.example#@durov",
    ];
    const before = await tdlib.find(urls);
    const after = await tdlib.find(urls.map((text) => withoutActs({ text, entities: [] }).text));
    expect(after).toEqual(before);
    expect(after.map(([url]) => url?.length)).toEqual(urls.map(({ length }) => length));
  });

  test("not even where the formatting is refused, and code is text", async () => {
    const sent: Formatted[] = [];
    const call = async (_: string, fields: object = {}) => {
      const { text = "", entities = [] } = fields as Partial<Formatted>;
      sent.push({ text, entities });
      if (entities.length === 0) return {};
      const description = "Bad Request: can't parse entities";
      throw new TelegramRefusal({ status: 400, description }, description, { permanent: true });
    };
    const write = createWrite(call, captureLog().log);
    for (const markdown of ["run `@durov`", `${"x".repeat(4080)} \`@durov_x\``])
      for (const body of pagesOf(markdown)) await write("send", body, { chat_id: 1 });
    const plain = sent.filter(({ entities }) => entities.length === 0);
    expect(plain.length).toBeGreaterThanOrEqual(2);
    expect(await actsIn(plain)).toEqual([]);
    for (const { text } of plain) expect(text.length).toBeLessThanOrEqual(4096);
  });
});

/** They stand beside each other in all ways. */
const PIECES = [
  ..."@durov @ durov_x tg: // tg://user?id=5 ton://x https://a.example http://a https://localhost/".split(
    " ",
  ),
  ..."ann@a.example www.a.example x.com/ a 5 é 日 ا ² ① 👍 \u0301 \u2060 \u200d \u00ad".split(" "),
  ...Array.from("/?#.,:;()[]{}<>-_+=&%!~*`'\"|\\ \n\t"),
];

const texts = fc
  .array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 8 })
  .map((pieces) => pieces.join(""));

function overlap(one: Entity, other: Entity): boolean {
  return one.offset < other.offset + other.length && other.offset < one.offset + one.length;
}

/** A mention, or an address that is not of the web or of mail. */
function acts({ type, offset, length }: Entity, text: string): boolean {
  if (/^mention/i.test(type)) return true;
  return type === "Url" && /^(?:tg|ton|tonsite):/i.test(text.slice(offset, offset + length));
}

test("Telegram looks for nothing in a rich message, and gets no links of its own", () => {
  const rich = createTelegramDialect({ rich: "rich" });
  for (const markdown of ACTS) {
    for (const body of createPager(rich).pages(markdown, true)) {
      expect(telegramPayload(body)).toMatchObject({ rich_message: { skip_entity_detection: true } });
      expect(hrefsIn(body)).toEqual(hrefsIn(body).filter((href) => href.startsWith("https://")));
    }
  }
});

function hrefsIn({ rich = "" }: TelegramBody): string[] {
  return [
    ...rich.matchAll(/<(?!\/|br|p|b>|i>|li|ul|h1|table|t[rdh]|blockquote)(\w+)[^>]*?(?:href|src)="([^"]*)"/g),
  ].map(([, , href = ""]) => href);
}

test("Discord may notify nobody", () => {
  const dialect = createDiscordDialect();
  for (const markdown of [
    "@everyone @here <@123> <@!123> <@&456>",
    "`@everyone`",
    "[@here](https://a.example)",
  ]) {
    for (const body of createPager(dialect).pages(markdown, true)) {
      const { content, allowed_mentions } = discordPayload(body);
      expect(pingsOf(content, allowed_mentions)).toEqual([]);
    }
  }
});

test("DingTalk is told of nobody to notify", () => {
  const dialect = createDingtalkDialect();
  for (const body of createPager(dialect).pages("@all @13800000000 @ann", true)) {
    const payload = dingtalkPayload(body);
    expect(Object.keys(payload)).toEqual(["msgKey", "msgParam"]);
    expect(Object.keys(JSON.parse(payload.msgParam) as object)).toEqual(["title", "text"]);
  }
});

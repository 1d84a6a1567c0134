import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createConsoleDialect } from "../../adapters/console/dialect.ts";
import { createDingtalkDialect } from "../../adapters/dingtalk/dialect/dialect.ts";
import { createDiscordDialect } from "../../adapters/discord/dialect/dialect.ts";
import { createTelegramDialect } from "../../adapters/telegram/dialect/dialect.ts";
import { readable } from "../../adapters/telegram/dialect/rich-read.ts";
import { createWebDialect } from "../../adapters/web/dialect.ts";
import type { Dialect } from "../../src/text/dialect/dialect.ts";
import { hiddenDestination } from "../../src/text/parse/destination.ts";
import { createPager } from "../../src/text/paginate/paginate.ts";
import { runs } from "../support/runs.ts";

/** What people see of a page, and where its links lead. */
interface Seen {
  readonly text: string;
  readonly hrefs: readonly string[];
}

function platform<Body>(dialect: Dialect<Body>, see: (body: Body) => Seen): (markdown: string) => Seen {
  return (markdown) => {
    const pages = createPager(dialect).pages(markdown, true).map(see);
    return { text: pages.map(({ text }) => text).join(""), hrefs: pages.flatMap(({ hrefs }) => hrefs) };
  };
}

const all = (pattern: RegExp, text: string) => [...text.matchAll(pattern)].map(([, found = ""]) => found);
const OSC = /\u001B\]8;;(.*?)\u001B\\/g;

const PLATFORMS = {
  telegram: platform(createTelegramDialect({ rich: "classic" }), ({ text, entities }) => ({
    text,
    hrefs: entities.flatMap(({ url }) => url ?? []),
  })),
  "telegram, rich": platform(createTelegramDialect({ rich: "rich" }), (body) => ({
    text: readable(body).text,
    hrefs: all(/href="(.*?)"/g, body.rich ?? ""),
  })),
  discord: platform(createDiscordDialect(), ({ content }) => ({
    text: content.replace(/\]\(<[^>]*>\)/g, "]"),
    hrefs: all(/\]\(<([^>]*)>\)/g, content),
  })),
  dingtalk: platform(createDingtalkDialect(), ({ text }) => ({
    text: text.replace(/(?<!\\)\]\([^)]*\)/g, "]"),
    hrefs: all(/(?<!\\)\]\(([^)]*)\)/g, text),
  })),
  web: platform(createWebDialect(), ({ html }) => ({
    text: html.replace(/<[^>]*>/g, ""),
    hrefs: all(/(?:href|src)="(.*?)"/g, html),
  })),
  console: platform(createConsoleDialect({ color: true, links: true }), (body) => ({
    text: body.replace(OSC, ""),
    hrefs: all(OSC, body).filter(Boolean),
  })),
};

/** Links whose text looks as if they led to `bank.example`. */
const LIES = [
  "[https://bank.example](https://evil.example/x)",
  "[bank.example](http://evil.example)",
  "[www.bank.example/login](https://evil.example)",
  "[**bank**.example](https://evil.example)",
  "[Log in at bank.example, please](https://evil.example)",
  "[bank\u200b.exa\u00admple](https://evil.example)",
  "[ｂａｎｋ．example](https://evil.example)",
  "[bank。example](https://evil.example)",
  "[//bank.example](https://evil.example)",
  "[HTTPS://BANK.EXAMPLE](https://evil.example)",
  "[bank.example](https://bank.example@evil.example/)",
  "[https://bank.example/?x](https://bank.example:443@evil.example)",
  "[bank.example](https://bank.example.evil.example)",
  "[bank.example](https://evil.example/bank.example)",
  "[bank.example](https://evil.example/?https://bank.example)",
  "[ann@bank.example](https://evil.example)",
  "[ann@bank.example](mailto:eve@evil.example)",
  "[http://127.0.0.1](https://evil.example)",
  "[http://localhost:8080](https://evil.example)",
  "[bank.example](//evil.example)",
  "[bank.example][1] and\n\n[1]: https://evil.example",
  "[bank.example]\n\n[bank.example]: https://evil.example",
  "![bank.example](https://evil.example)",
  "[![bank.example](https://bank.example/a.png)](https://evil.example)",
  "<https://bank.example@evil.example>",
  "https://bank.example@evil.example/x",
  "# [bank.example](https://evil.example)",
  "> - [bank.example](https://evil.example)",
];

const HONEST = [
  "[click here](https://evil.example)",
  "[bank.example](https://bank.example/login)",
  "[https://bank.example/a](https://bank.example/b)",
  "[www.bank.example](https://bank.example)",
  "[BANK.example](http://bank.example:8080)",
  "[bücher.example](https://xn--bcher-kva.example)",
  "[Node.js](https://a.example) and [index.html](https://a.example)",
  "[`Array.from`](https://a.example/Array/from), [`console.log`](https://a.example)",
  "[README.md](https://a.example/blob/README.md)",
  "[gpt-3.5-turbo](https://a.example), [v1.2.3](https://a.example), [e.g.](https://a.example)",
  "[第一句。第二句](https://a.example)",
  "[详情](https://a.example)",
  "[ann@bank.example](mailto:ann@bank.example)",
];

describe.each(Object.entries(PLATFORMS))("on %s", (name, see) => {
  test.each(LIES)("people see where %s leads", (markdown) => {
    expect(see(markdown).text).toMatch(/evil\.example/);
    // Once is enough, be it the host or the whole address.
    if (!/@|evil.*evil|\n\n/.test(markdown))
      expect(all(/(evil\.example)/g, see(markdown).text)).toHaveLength(1);
  });

  test.each(HONEST)("nothing is put behind %s", (markdown) => {
    expect(see(markdown).text).not.toMatch(/\((?!<?https?:|mailto:)[^()]*\.example[^()]*\)/);
    if (name !== "discord") expect(see("[bank.example](https://bank.example/a)").text).not.toContain("(");
  });

  test("a long text with such links fits, whichever way it is cut", () => {
    const { text } = see("word [bank.example](https://evil.example/x) and ".repeat(600));
    expect(all(/\((evil\.example)\)/g, text).length).toBeGreaterThanOrEqual(590);
  });

  test.each([
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "discord://-/channels/@me",
    "dingtalk://dingtalkclient/page/link?url=x",
    "slack://open",
    "vscode://file/etc/passwd",
    "tg://user?id=5",
    "tg://proxy?server=a.example&port=1",
    "ms-word:ofe",
  ])("%s is a link nowhere", (href) => {
    for (const markdown of [`[text](${href})`, `<${href}>`, `![text](${href})`, `[text][1]\n\n[1]: ${href}`])
      expect(see(markdown).hrefs).toEqual([]);
  });
});

const DIALECTS: Readonly<Record<string, Dialect<unknown>>> = {
  telegram: createTelegramDialect(),
  discord: createDiscordDialect(),
  dingtalk: createDingtalkDialect(),
  console: createConsoleDialect({ color: true, links: true, columns: 40, rows: 8 }),
};

test.each(Object.entries(DIALECTS))("on %s a full page with such links never changes", (_, dialect) => {
  const pieces = fc.constantFrom(
    ...LIES.filter((markdown) => !markdown.includes("\n")),
    ...HONEST,
    "word ".repeat(60),
    "**bold @name**",
    "\n\n",
    "\n",
    " ",
    "字".repeat(40),
  );
  const inputs = fc.array(pieces, { minLength: 20, maxLength: 150 }).map((all) => all.join(""));
  const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(inputs, places, (text, cuts) => {
      const whole = createPager(dialect).pages(text, true);
      expect(whole.every((body) => dialect.fits(body))).toBe(true);
      for (const cut of cuts) {
        const growing = createPager(dialect).pages(text.slice(0, Math.round(cut * text.length)), false);
        expect(growing.every((body) => dialect.fits(body))).toBe(true);
        const full = growing.slice(0, -1);
        expect(full).toEqual(whole.slice(0, full.length));
      }
    }),
    { numRuns: runs(10) },
  );
});

test("a text takes no longer to look at the more often it looks like an address", () => {
  const started = performance.now();
  for (const text of [
    "a".repeat(100_000),
    "a.".repeat(50_000),
    "a.b@".repeat(25_000),
    "//".repeat(50_000),
    "-.".repeat(50_000),
  ])
    hiddenDestination(text, "https://evil.example");
  expect(performance.now() - started).toBeLessThan(3000);
});

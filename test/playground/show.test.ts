import { expect, test } from "vitest";
import { createScreen } from "../../adapters/console/simulator.ts";
import type { Styled, Shape } from "../../src/playground/protocol.ts";
import { showDingtalk } from "../../src/playground/show/dingtalk.ts";
import { showDiscord } from "../../src/playground/show/discord.ts";
import { showTelegram } from "../../src/playground/show/telegram.ts";
import { showRow } from "../../src/playground/show/terminal.ts";

test("a terminal moves, erases, wraps and styles", () => {
  const screen = createScreen({ isTTY: true, columns: 10, wraps: true });
  screen.output.write("one\ntwo\n\u001B[1A\u001B[0Jthree\r\u001B[1Cx");
  expect(screen.lines()).toEqual(["one", "txree"]);
  screen.output.write("\n0123456789ab\u001B[2K中文");
  expect(screen.lines()).toEqual(["one", "txree", "0123456789", "  中文"]);
  screen.output.write("\n\u001B[1mbo\u001B");
  screen.output.write(
    "[22mld \u001B]8;;https://a.example/\u0007go\u001B]8;;\u0007\u001B]8;;javascript:1\u0007no",
  );
  expect(showRow(screen.rows().at(-1) ?? [])).toEqual([
    { is: "bold", of: ["bo"] },
    "ld ",
    { is: "link", of: ["go"], href: "https://a.example/" },
    { is: "underline", of: ["no"] },
  ]);
});

test("a terminal forgets what is far above", () => {
  const screen = createScreen({ isTTY: true });
  for (let line = 0; line < 3000; line += 1) screen.output.write(`line ${line}\n`);
  expect(screen.lines()).toHaveLength(999);
  expect(screen.lines().at(-1)).toBe("line 2999");
});

test("Telegram's entities are nested as they stand", () => {
  const text = "a bold italic end";
  const entities = [
    { type: "italic", offset: 7, length: 6 },
    { type: "bold", offset: 2, length: 11 },
    { type: "text_link", offset: 14, length: 3, url: "javascript:x" },
  ];
  expect(showTelegram({ text, entities })).toEqual([
    "a ",
    { is: "bold", of: ["bold ", { is: "italic", of: ["italic"] }] },
    " ",
    { is: "underline", of: ["end"] },
  ]);
});

test("Discord's and DingTalk's Markdown becomes pieces, and only web pages become links", () => {
  const source =
    "# Head\n**bold** and `code`\n> quoted\n\n[x](https://a.example) [y](javascript:alert(1)) <b>no</b>";
  for (const show of [showDiscord, showDingtalk]) {
    const kinds = new Set(pieces(show(source)).map(({ is }) => is));
    for (const kind of ["h1", "bold", "code", "quote", "link"]) expect(kinds).toContain(kind);
    const links = pieces(show(source)).filter(({ is }) => is === "link");
    expect(links.map(({ href }) => href)).toEqual(["https://a.example"]);
    expect(wordsOf(show(source))).toContain("<b>no</b>");
  }
});

test("long lines without marks are quick", () => {
  const line = `${"[*_`|~<".repeat(300)}${"word ".repeat(400)}`;
  expect(wordsOf(showDiscord(line)).length).toBeGreaterThan(1000);
});

function pieces(shapes: readonly Shape[]): Styled[] {
  return shapes.flatMap((shape) => (typeof shape === "string" ? [] : [shape, ...pieces(shape.of)]));
}

function wordsOf(shapes: readonly Shape[]): string {
  return shapes.map((shape) => (typeof shape === "string" ? shape : wordsOf(shape.of))).join("");
}

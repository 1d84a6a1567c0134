import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/folder.ts";
import { runProgram } from "../support/program.ts";

const MARKDOWN = `# Title\n\nSome **bold** text.\n\n${"A sentence that is there to fill pages. ".repeat(200)}\n\n- end`;

/** Runs `colloquy preview …` with this on standard input. */
async function preview(words: readonly string[], input: string, env: Record<string, string> = {}) {
  const program = runProgram(["preview", ...words], env);
  program.type(input);
  program.endInput();
  return { code: await program.exited, output: program.output(), errors: program.errors() };
}

interface Result {
  readonly id: string;
  readonly messages: readonly Record<string, unknown>[];
  readonly growing?: readonly (readonly Record<string, unknown>[])[];
}

test("shows a file on each platform, message by message, with the limits", async () => {
  const file = join(temporaryFolder(), "answer.md");
  writeFileSync(file, MARKDOWN);
  const { code, output } = await preview([file], "");
  expect(code).toBe(0);
  expect(output).toMatch(/telegram, message 1 of 2: \d+ of 4096 utf16/);
  expect(output).toMatch(/discord, message 1 of 5: \d+ of 2000 code points/);
  expect(output).toMatch(/dingtalk, message 1 of 1: \d+ of 15000 bytes/);
  expect(output).toMatch(/web, message 1 of 1: \d+ of 16384 utf16/);
  expect(output).toMatch(/console, message 1 of/);
});

test("writes the payloads that Telegram would be sent, for the whole and while it grows", async () => {
  const lines = [
    JSON.stringify({ id: "a", markdown: "Some **bold** text", cuts: [9] }),
    JSON.stringify({ id: "b", markdown: MARKDOWN, cuts: [100, 6000, MARKDOWN.length] }),
  ];
  const { code, output } = await preview(["--platform", "telegram", "--jsonl"], `${lines.join("\n")}\n`);
  expect(code).toBe(0);
  const [first, second] = output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Result);
  expect(first).toMatchObject({
    id: "a",
    messages: [{ text: "Some bold text", entities: [{ type: "bold", offset: 5, length: 4 }] }],
    growing: [[{ text: "Some bo", entities: [{ type: "bold", offset: 5, length: 2 }] }]],
  });
  expect(second?.messages).toHaveLength(2);
  for (const pages of second?.growing ?? []) {
    expect(pages.slice(0, -1)).toEqual(second?.messages.slice(0, Math.max(0, pages.length - 1)));
  }
});

test.each([
  ["auto", [{ text: "so" }, { rich_message: { html: expect.stringContaining("<table") } }]],
  ["classic", [{ text: "so" }, { text: "a | b\n--+--\n1 | 2" }]],
  ["rich", [{ rich_message: { html: "<p>so</p>" } }, { rich_message: {} }]],
])("TELEGRAM_RICH=%s decides what Telegram would be sent", async (mode, messages) => {
  const lines = ["so", "|a|b|\n|-|-|\n|1|2|"].map((markdown, id) => JSON.stringify({ id, markdown }));
  const words = ["--platform", "telegram", "--jsonl"];
  const { output } = await preview(words, `${lines.join("\n")}\n`, { TELEGRAM_RICH: mode });
  const results = output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Result);
  expect(results.map((result) => result.messages[0])).toMatchObject(messages);
});

test("shows rich pages as they read", async () => {
  const { output } = await preview(["--platform", "telegram"], "|a|b|\n|-|-|\n|1|$x^2$|", {
    TELEGRAM_RICH: "rich",
  });
  expect(output).toMatch(/telegram, message 1 of 1: \d+ of 32000 utf16/);
  expect(output).toContain("a | b\n--+---\n1 | x²");
});

test.each([
  [
    "dingtalk",
    { msgKey: "sampleMarkdown", msgParam: JSON.stringify({ title: "a <b>", text: "**a** &lt;b>" }) },
  ],
  ["web", { html: '<p dir="auto"><strong>a</strong> &lt;b&gt;</p>' }],
])("writes what %s would show", async (platform, message) => {
  const { output } = await preview(["--platform", platform, "--jsonl"], '{"id":1,"markdown":"**a** <b>"}\n');
  expect(JSON.parse(output)).toEqual({ id: 1, messages: [message] });
});

test("closes mentions on Discord", async () => {
  const { output } = await preview(["--platform", "discord", "--jsonl"], '{"id":1,"markdown":"@everyone"}\n');
  expect(JSON.parse(output)).toMatchObject({ id: 1, messages: [{ allowed_mentions: { parse: [] } }] });
});

test.each([
  [["--platform", "fax"], "", /--platform telegram or discord or dingtalk or web or console/],
  [["--jsonl"], "", /--platform telegram/],
  [["/nowhere.md"], "", /There is no file \/nowhere.md/],
  [["--platform", "discord", "--jsonl"], "nonsense\n", /This line is not JSON such as/],
  [["--platform", "discord", "--jsonl"], '{"id":"1"}\n', /markdown/],
])("%j with %j is a clear error", async (words, input, sentence) => {
  const { code, errors } = await preview(words, input);
  expect(code).toBe(2);
  expect(errors).toMatch(sentence);
});

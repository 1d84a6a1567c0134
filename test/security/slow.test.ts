import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { createDingtalkDialect } from "../../adapters/dingtalk/dialect/dialect.ts";
import { createDiscordDialect } from "../../adapters/discord/dialect/dialect.ts";
import { createTelegramDialect } from "../../adapters/telegram/dialect/dialect.ts";
import { createWebDialect } from "../../adapters/web/dialect.ts";
import type { Adapter, Receive } from "../../src/adapter.ts";
import { createColloquy } from "../../src/colloquy.ts";
import { answerOffline } from "../../src/model/demo/answers.ts";
import type { Model } from "../../src/model/model.ts";
import type { Dialect } from "../../src/text/dialect/dialect.ts";
import { parseMarkdown } from "../../src/text/parse/markdown.ts";
import { createPager } from "../../src/text/paginate/paginate.ts";
import { temporaryFolder } from "../support/folder.ts";
import { captureLog } from "../support/log.ts";
import { runProgram } from "../support/program.ts";
import { until } from "../../src/testing/until.ts";

/** Texts that took many seconds, each on the platform where that was worst. */
const SHAPES: readonly (readonly [name: string, text: string, dialect: Dialect<unknown>])[] = [
  ["short lines", "a\n".repeat(75_000), createWebDialect()],
  ["a quote that goes on without its mark", `> a\n${"a\n".repeat(50_000)}`, createWebDialect()],
  ["brackets of which every other one stays open", "[a][".repeat(25_000), createDiscordDialect()],
  ["a table of 200 columns", `${wide(200)}${"|b\n".repeat(25_000)}`, createWebDialect()],
  ["a table with empty rows", `${wide(30)}${"|\n".repeat(15_000)}`, createDingtalkDialect()],
  ["a footnote of many lines", `[^1]: a\n\n${"    a\n\n".repeat(24_000)}`, createDiscordDialect()],
  ["paragraphs of which nothing can be seen", "&nbsp;\n\n".repeat(15_000), createTelegramDialect()],
  ["formulas without anything", "$$\n".repeat(30_000), createTelegramDialect()],
];

function wide(columns: number): string {
  return `${"|a".repeat(columns)}|\n${"|-".repeat(columns)}|\n`;
}

/** The processor's time in ms: others share the machine. */
function costOf(action: () => unknown): number {
  const before = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

test.each(SHAPES)("%s become pages in a second or two, at once and piece by piece", (_, text, dialect) => {
  const cost = costOf(() => {
    const pager = createPager(dialect);
    for (let end = 4000; end < text.length; end += 4000) pager.pages(text.slice(0, end), false);
    pager.pages(text, true);
    createPager(dialect).pages(text, true);
  });
  expect(cost).toBeLessThan(4000);
});

describe("what never settles", () => {
  test("ends after a while, and nothing of it is lost", () => {
    const text = `> begin\n${Array.from({ length: 9000 }, (_, i) => `${i}\n`).join("")}end`;
    const pager = createPager<string>(plainDialect());
    for (let end = 5000; end < text.length; end += 5000) pager.pages(text.slice(0, end), false);
    const fed = pager.pages(text, true);
    expect(fed).toEqual(createPager<string>(plainDialect()).pages(text, true));
    expect(fed.join(" ").match(/\w+/g)).toEqual(text.match(/\w+/g));
  });

  test("is still code where it is code", () => {
    const line = Array.from({ length: 20_000 }, (_, i) => `*${i}`).join("");
    const text = `- item\n\n  \`\`\`js\n  ${line}\n  last\n  \`\`\`\n\nafter`;
    const blocks = parseMarkdown(text);
    expect(blocks).toMatchObject([{ type: "list" }, { type: "paragraph" }]);
    const shown: string[] = [];
    const dialect: Dialect<string> = {
      ...plainDialect(),
      print: (page) => {
        shown.push(...page.map(({ type }) => type));
        return plainDialect().print(page);
      },
    };
    const pages = createPager<string>(dialect).pages(text, true);
    expect(new Set(shown)).toEqual(new Set(["list", "paragraph"]));
    expect(pages.join("").replaceAll("\n", "")).toBe(`item${line}lastafter`);
  });
});

/** Pages of 1000 characters, without any marks. */
function plainDialect(): Dialect<string> {
  return {
    limits: { length: 1000, unit: "utf16" },
    print: (blocks) => blocks.map((block) => wordsOf(block)).join("\n"),
    fits: (body) => body.length <= 1000,
  };
}

function wordsOf(part: unknown): string {
  if (Array.isArray(part)) return part.map(wordsOf).join("\n");
  if (typeof part !== "object" || part === null) return "";
  const { text, spans, blocks, items, head, rows } = part as Readonly<Record<string, unknown>>;
  if (typeof text === "string") return text;
  if (Array.isArray(spans)) return spans.map(wordsOf).join("");
  return [blocks, items, head, rows].filter(Boolean).map(wordsOf).join("\n");
}

test("400,000 characters are delivered without holding up anyone else", async () => {
  const text = `${"a\n".repeat(100_000)}\n${"**word** and [link](https://example.org), ".repeat(5000)}`;
  const model: Model = {
    name: "long",
    contextTokens: 1_000_000,
    answer: async function* () {
      for (let at = 0; at < text.length; at += 4000) {
        yield text.slice(at, at + 4000);
        await nextTurn();
      }
      return { input: 1, output: 1, estimated: true };
    },
  };
  const { adapter, shown, say } = silentAdapter();
  const bot = await createColloquy({ adapters: [adapter], model, store: "memory:", log: captureLog().log });
  onTestFinished(() => bot.stop());
  await bot.start();
  const longest = { ms: 0, over: false };
  const watched = watchTurns(longest);
  await say("go");
  await until(() => shown.done);
  longest.over = true;
  await watched;
  expect(shown.characters).toBeGreaterThan(200_000);
  // A single turn took some 50 s before; the longest takes 20 ms now, 40 while the code is still cold.
  expect(longest.ms).toBeLessThan(500);
});

/** The longest turn of the event loop, in ms of the processor's time. */
async function watchTurns(longest: { ms: number; over: boolean }): Promise<void> {
  while (!longest.over) {
    const before = process.cpuUsage();
    await nextTurn();
    const { user, system } = process.cpuUsage(before);
    longest.ms = Math.max(longest.ms, (user + system) / 1000);
  }
}

/** A platform that takes everything as it comes. */
function silentAdapter() {
  const shown = { characters: 0, done: false };
  let receive: Receive | undefined;
  const adapter: Adapter<{ readonly html: string }> = {
    name: "silent",
    dialect: createWebDialect(),
    pace: { direct: 0, group: 0 },
    start: async (take) => void (receive = take),
    stop: async () => undefined,
    send: async (_, __, key) => {
      await nextTurn();
      return key;
    },
    edit: () => nextTurn(),
    finish: async (_, pages) => {
      for (const { body } of pages) shown.characters += body.html.length;
      shown.done = true;
    },
  };
  const say = async (text: string) => {
    const user = { id: "ann" };
    const chat = { id: "ann", kind: "direct" } as const;
    await receive?.({ id: "silent:1", platform: "silent", user, chat, to: {}, text, at: Date.now() });
  };
  return { adapter: adapter as Adapter, shown, say };
}

describe("the demo model", () => {
  test.each([
    ["blanks", `1${" ".repeat(90_000)}x`],
    ["figures", "1".repeat(90_000)],
    ["full stops", `1+1${".".repeat(90_000)}x`],
    ["signs", `${"1+".repeat(45_000)}x`],
    ["brackets", `${"(".repeat(45_000)}1`],
    ["the beginning of a request", "写".repeat(90_000)],
  ])("answers %s without a pause", (_, content) => {
    // 400 blanks took 22 s before.
    expect(costOf(() => answerOffline([{ role: "user", content }]))).toBeLessThan(1000);
  });

  test("answers 400 blanks in the real program, and is there for the next", async () => {
    const program = runProgram(["chat"], { MODEL: "demo" });
    program.type(`1${" ".repeat(400)}x\n`);
    program.type("1+1=几\n");
    expect(await program.says("1\\+1 = 2")).toBe(true);
  });
});

describe("lint", () => {
  test("finds an expression that takes polynomial time", () => {
    const root = join(import.meta.dirname, "../..");
    const folder = temporaryFolder();
    mkdirSync(join(folder, "src"));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    copyFileSync(join(root, ".oxlintrc.json"), join(folder, ".oxlintrc.json"));
    // As the demo model read sums once.
    writeFileSync(
      join(folder, "src/sum.ts"),
      String.raw`export const SUM = /^\s*([-\d.+*/()\s]+?)\s*(?:=|等于|是)?\s*(?:几|多少|what)?\s*[?？.。!！]*$/i;`,
    );
    const { stdout } = spawnSync(join(root, "node_modules/.bin/oxlint"), ["src"], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(stdout).toContain("regexp(no-super-linear-backtracking)");
  });
});

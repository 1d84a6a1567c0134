import createMarkdownIt from "markdown-it";
import { createConsoleDialect } from "../../adapters/console/dialect.ts";
import { createDingtalkDialect } from "../../adapters/dingtalk/dialect/dialect.ts";
import { createDiscordDialect } from "../../adapters/discord/dialect/dialect.ts";
import { createTelegramDialect } from "../../adapters/telegram/dialect/dialect.ts";
import { createWebDialect } from "../../adapters/web/dialect.ts";
import { createPager } from "../../src/text/paginate/paginate.ts";
import { INPUTS } from "./inputs.ts";

/**
 * How long it takes to turn a text into pages, in multiples of the time in which markdown-it merely parses it:
 * `npx tsx test/bench/text.ts [bytes] [name of input] [name of dialect]`. The two run by turns, and the best of
 * several runs counts, so that other work on the machine matters little. tsx gives every function its name as it
 * is made, which takes time that the built program does not need.
 */
const [size = "1000000", wanted = "", platform = ""] = process.argv.slice(2);

type Pages = (text: string) => readonly unknown[];

const PLATFORMS: Readonly<Record<string, Pages>> = {
  dingtalk: (text) => createPager(createDingtalkDialect()).pages(text, true),
  web: (text) => createPager(createWebDialect()).pages(text, true),
  telegram: (text) => createPager(createTelegramDialect()).pages(text, true),
  discord: (text) => createPager(createDiscordDialect()).pages(text, true),
  console: (text) =>
    createPager(createConsoleDialect({ color: true, columns: 80, rows: 24 })).pages(text, true),
  pipe: (text) => createPager(createConsoleDialect({ color: false })).pages(text, true),
};

const parser = createMarkdownIt({ html: false, linkify: true });

const RUNS = 3;
/** An input that takes longer than this, in ms, is not run again. */
const SLOW_MS = 2000;

for (const [name, make] of Object.entries(INPUTS)) {
  if (!name.includes(wanted)) continue;
  const text = make(Number(size));
  const row = [name.padEnd(22)];
  for (const [dialect, pages] of Object.entries(PLATFORMS)) {
    if (!dialect.includes(platform)) continue;
    const { base, ours } = compare(text, pages);
    row.push(
      `${dialect} ${ours.toFixed(0)} ms / ${base.toFixed(0)} = ${(ours / base).toFixed(1)}`.padEnd(32),
    );
  }
  process.stdout.write(`${row.join("  ")}\n`);
}

function compare(text: string, pages: Pages): { base: number; ours: number } {
  const best = { base: Number.POSITIVE_INFINITY, ours: Number.POSITIVE_INFINITY };
  for (let run = 0; run < RUNS && best.ours + best.base > 0; run++) {
    best.base = Math.min(
      best.base,
      timeOf(() => parser.parse(text, {})),
    );
    const ours = timeOf(() => pages(text));
    best.ours = Math.min(best.ours, ours);
    if (ours > SLOW_MS) break;
  }
  return best;
}

function timeOf(action: () => unknown): number {
  const start = performance.now();
  action();
  return performance.now() - start;
}

import { createDiscordDialect } from "../../adapters/discord/dialect/dialect.ts";
import { createTelegramDialect } from "../../adapters/telegram/dialect/dialect.ts";
import type { Dialect } from "../../src/text/dialect/dialect.ts";
import { createPager } from "../../src/text/paginate/paginate.ts";
import { INPUTS } from "./inputs.ts";

/**
 * What one update of a growing answer costs, at its beginning and at its end, when it comes in pieces of 1 kB:
 * `npx tsx test/bench/stream.ts [bytes] [name of input]`. The two must not differ much.
 */
const [size = "1000000", wanted = ""] = process.argv.slice(2);

const PIECE = 1000;

/** Updates that are taken together. */
const SOME = 100;

for (const [name, make] of Object.entries(INPUTS)) {
  if (!name.includes(wanted)) continue;
  const text = make(Number(size));
  const telegram = costs(text, createTelegramDialect());
  process.stdout.write(
    `${name.padEnd(22)} telegram ${telegram}  discord ${costs(text, createDiscordDialect())}\n`,
  );
}

function costs<Body>(text: string, dialect: Dialect<Body>): string {
  const pager = createPager(dialect);
  const times: number[] = [];
  for (let end = PIECE; end <= text.length; end += PIECE) {
    const start = performance.now();
    pager.pages(text.slice(0, end), false);
    times.push(performance.now() - start);
  }
  const first = median(times.slice(SOME, 2 * SOME));
  const last = median(times.slice(-SOME));
  return `first ${first.toFixed(2)} ms, last ${last.toFixed(2)} ms, most ${Math.max(...times).toFixed(0)} ms`.padEnd(
    46,
  );
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

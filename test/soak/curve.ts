/** How much the program takes up, in bytes, and how many files and sockets it has open. */
export interface Sizes {
  /** What the system counts as its memory. */
  readonly resident: number;
  /** What lives on its JavaScript heap. */
  readonly heap: number;
  readonly handles: number;
  readonly store: number;
}

/** The sizes after a number of answers. */
export interface Sample extends Sizes {
  readonly turns: number;
  /** In ms since the beginning. */
  readonly at: number;
}

/** So much more at the end than after the warm-up still counts as flat. */
const MAX_GROWTH = 0.15;

/** The sizes that must not grow, and what stands for a fifth of the curve; histories are data, and may grow. */
const FLAT = [
  ["resident", median],
  ["heap", median],
  // Connections come and go with the traffic: what is never given back raises the least of them.
  ["handles", least],
] as const;

/** The first line of the table. */
export const HEAD = row(["answers", "a second", "RSS MB", "heap MB", "handles", "store MB"]);

/** A line of the table; the pace is that since the sample before. */
export function lineOf(sample: Sample, before: Sample | undefined): string {
  const { turns, at, resident, heap, handles, store } = sample;
  const pace = before ? (1000 * (turns - before.turns)) / (at - before.at) : 0;
  return row([
    String(turns),
    pace.toFixed(1),
    megabytes(resident),
    megabytes(heap),
    String(handles),
    megabytes(store),
  ]);
}

/** How the second fifth of the curve compares with the last; `grown` names what is larger than it may be. */
export function judge(samples: readonly Sample[]): { readonly lines: string[]; readonly grown: string[] } {
  const turns = samples.at(-1)?.turns ?? 0;
  const early = samples.filter((sample) => sample.turns > turns * 0.2 && sample.turns <= turns * 0.4);
  const late = samples.filter((sample) => sample.turns > turns * 0.8);
  const growths = FLAT.map(([size, typical]) => {
    const [from, to] = [early, late].map((part) => typical(part.map((sample) => sample[size])));
    return { size, growth: from && to ? to / from - 1 : Number.NaN };
  });
  return {
    lines: growths.map(
      ({ size, growth }) => `${size}: ${(100 * growth).toFixed(1)} % from the second fifth to the last`,
    ),
    // What cannot be compared has not been shown to be flat.
    grown: growths.filter(({ growth }) => !(growth <= MAX_GROWTH)).map(({ size }) => size),
  };
}

function median(numbers: readonly number[]): number | undefined {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

function least(numbers: readonly number[]): number | undefined {
  return numbers.toSorted((a, b) => a - b)[0];
}

function megabytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

function row(cells: readonly string[]): string {
  return cells.map((cell) => cell.padStart(10)).join("");
}

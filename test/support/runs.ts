/** Multiplies the number of generated cases by the variable `RUNS`. */
const TIMES = Number(process.env["RUNS"] ?? 1);

/** How many cases a property is tried on: few in every run of the suite, which looks at others each time. */
export function runs(usual: number): number {
  return Math.ceil(usual * TIMES);
}

/** How the pauses between attempts grow. */
export interface BackOff {
  /** The pause after the first failure, in ms. */
  readonly firstMs: number;
  /** The longest pause, in ms. */
  readonly maxMs: number;
}

/**
 * The pause after a number of failures in a row, in ms: it doubles with each one. Up to a quarter of it is left out at
 * random, so that clients which failed together do not all return at the same moment.
 *
 * @example await sleep(backOff(3, { firstMs: 250, maxMs: 30_000 })); // 750 to 1000 ms
 */
export function backOff(failures: number, { firstMs, maxMs }: BackOff): number {
  return spread(Math.min(maxMs, firstMs * 2 ** Math.max(0, failures - 1)));
}

/** A pause of which up to a quarter is left out at random. */
export function spread(ms: number): number {
  return ms * (0.75 + Math.random() / 4);
}

/** How long to wait between two checks: at first, and at most, in ms. */
const PAUSE_MS = { first: 2, max: 50 };

/**
 * Waits until a condition holds, and returns its value. Rejects after `withinMs` with a description of the condition; the
 * deadline is for conditions that never hold, so keep it long enough for a busy machine.
 *
 * @example await until(() => telegram.shows("ann").length === 2);
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  what: string | (() => string) = condition.toString(),
  withinMs = 40_000,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + withinMs;
  for (let pause = PAUSE_MS.first; ; pause = Math.min(PAUSE_MS.max, pause * 1.1)) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline)
      throw new Error(`waited ${withinMs} ms in vain for: ${typeof what === "string" ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

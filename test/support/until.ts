/** It is looked at again after a moment, and as that is in vain ever less often; in ms. */
const PAUSE = { first: 2, most: 50 };

/**
 * Waits for a condition, never for a time; fails with what was waited for, as it is by then. The deadline is for what
 * never comes: a machine that is busy with other things is no failure.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  what: string | (() => string) = condition.toString(),
  withinMs = 40_000,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + withinMs;
  for (let pause = PAUSE.first; ; pause = Math.min(PAUSE.most, pause * 1.1)) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline)
      throw new Error(`waited ${withinMs} ms in vain for: ${typeof what === "string" ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

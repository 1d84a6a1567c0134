/** Waits for a condition, never for a time; fails with what was waited for, as it is by then. */
export async function until<T>(
  condition: () => T | Promise<T>,
  what: string | (() => string) = condition.toString(),
  withinMs = 15_000,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline)
      throw new Error(`waited ${withinMs} ms in vain for: ${typeof what === "string" ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

import type { z } from "zod";

/** At most this many of what is wrong are told: who sends something large and wrong gets no larger answer. */
const MAX_TOLD = 3;

/** Of each at most this many characters are told. */
const MAX_CHARACTERS = 200;

/** A JSON value with more values in it than this is not looked at: each could be wrong in a way of its own. */
const MAX_VALUES = 10_000;

/** Says what is wrong with a value to the client that sent it: the first few complaints, each shortened. */
export function describeIssues({ issues }: z.ZodError): string {
  const told = issues.slice(0, MAX_TOLD).map(({ path, message }) => {
    const at = path.slice(0, 5).map((part) => (typeof part === "number" ? `[${part}]` : String(part)));
    return shorten(at.length > 0 ? `${at.join(".").replaceAll(".[", "[")}: ${message}` : message);
  });
  const more = issues.length - told.length;
  return [...told, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}

/** Whether a JSON value has few enough values in it to be checked one by one. */
export function isCheckable(given: unknown): boolean {
  const open = [given];
  let seen = 0;
  for (let value = open.pop(); value !== undefined || open.length > 0; value = open.pop()) {
    const within: readonly unknown[] =
      typeof value !== "object" || value === null ? [] : Array.isArray(value) ? value : Object.values(value);
    seen += within.length;
    if (seen > MAX_VALUES) return false;
    open.push(...within);
  }
  return true;
}

function shorten(text: string): string {
  return text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text;
}

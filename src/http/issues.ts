import type { z } from "zod";

/** The maximum number of issues in a description, so that a large invalid request does not get a large answer. */
const MAX_ISSUES = 3;

/** The maximum length of one issue, in UTF-16 units. */
const MAX_CHARACTERS = 200;

/** A JSON value with more values in it than this is not checked: each of them could cause an issue. */
const MAX_VALUES = 10_000;

/** Describes what is wrong with a value to the client that sent it: the first few issues, each shortened. */
export function describeIssues({ issues }: z.ZodError): string {
  const shown = issues.slice(0, MAX_ISSUES).map(({ path, message }) => {
    const at = path.slice(0, 5).map((part) => (typeof part === "number" ? `[${part}]` : String(part)));
    return shorten(at.length > 0 ? `${at.join(".").replaceAll(".[", "[")}: ${message}` : message);
  });
  const more = issues.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}

/** Whether a JSON value contains few enough values to be checked. */
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

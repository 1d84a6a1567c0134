/** This many characters of what someone said are enough for its author to find it. */
const MAX_EXCERPT = 40;

/** The beginning of what someone said, on one line and as code, in which nothing has a meaning. */
export function excerptOf(text: string): string {
  // A character has at most two units.
  const line = text
    .slice(0, 4 * MAX_EXCERPT)
    .replace(/[\s`]+/g, " ")
    .trim();
  const characters = Array.from(line);
  const excerpt = characters.slice(0, MAX_EXCERPT).join("");
  const isWhole = characters.length <= MAX_EXCERPT && text.length <= 4 * MAX_EXCERPT && excerpt !== "";
  return `\`${excerpt}${isWhole ? "" : "…"}\``;
}

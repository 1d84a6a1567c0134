/** The maximum length of an excerpt, in characters: enough for the author to recognize the message. */
const MAX_EXCERPT = 40;

/** The beginning of a message, on one line and formatted as code, so that no markup in it takes effect. */
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

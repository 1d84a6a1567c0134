/**
 * The longest quote that is shown in full, in UTF-16 units and lines. A longer one would fill most of a phone's screen,
 * so it is collapsed to its first lines until it is tapped (`expandable_blockquote`).
 */
const LONG = { length: 800, lines: 16 };

/** Whether a quote with this text should be collapsed. */
export function isLongQuote(text: string): boolean {
  return text.length > LONG.length || text.split("\n", LONG.lines + 1).length > LONG.lines;
}

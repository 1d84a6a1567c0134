/**
 * A quote with more UTF-16 units or lines than this fills most of a telephone's screen: it is shown folded to its
 * first lines, to be unfolded by a tap (`expandable_blockquote`).
 */
const LONG = { length: 800, lines: 16 };

/** Whether the text of a quote is to be folded. */
export function isLongQuote(text: string): boolean {
  return text.length > LONG.length || text.split("\n", LONG.lines + 1).length > LONG.lines;
}

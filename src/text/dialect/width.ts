const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Characters two columns wide: East Asian wide and fullwidth ones (Unicode's EastAsianWidth, W and F) and emoji. */
const WIDE =
  /^(?:[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\p{Emoji}\ufe0f)/u;
const NONE = /^[\p{Cc}\p{Cf}\p{M}\p{Default_Ignorable_Code_Point}]/u;

/** A text with more UTF-16 units than this fits in no column and is not measured. */
const MAX_MEASURED = 200;

/** The width of a line in a monospaced font, in columns. */
export function displayWidth(text: string): number {
  if (text.length > MAX_MEASURED || /^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text))
    width += WIDE.test(segment) ? 2 : NONE.test(segment) ? 0 : 1;
  return width;
}

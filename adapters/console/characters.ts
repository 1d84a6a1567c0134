import { displayWidth } from "../../src/text/dialect/width.ts";

/** A part of a line, with its width in columns. */
export interface Segment {
  readonly start: number;
  readonly end: number;
  readonly width: number;
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** ASCII that no combining character follows, or other text. */
// oxlint-disable-next-line regexp/no-super-linear-move -- If a run is too long by its last character, one step back is enough.
const RUN = /([ -~]+(?![^ -~]))|[ -~]?[^ -~]+/gu;

/**
 * Letters, punctuation and digits that never combine. They have one column in Latin, Greek, Cyrillic, Armenian, Hebrew,
 * Arabic and Georgian, and two in Chinese, Japanese and Korean.
 */
const SIMPLE =
  /^[ -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0482\u048a-\u058f\u05d0-\u05f4\u060c\u061b\u061f-\u064a\u0660-\u066f\u0671-\u06d3\u10a0-\u10ff\u1e00-\u1fff\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u3001-\u3029\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60]+$/;
const FIRST_WIDE = 0x3000;

/** The graphemes of a text with their widths in columns. `offset` is the position of the text in its line. */
export function* charactersOf(text: string, offset: number): Generator<Segment> {
  for (const { index, 0: run, 1: ascii } of text.matchAll(RUN)) {
    let start = offset + index;
    if (ascii || SIMPLE.test(run)) {
      for (let at = 0; at < run.length; at++, start++)
        yield { start, end: start + 1, width: run.charCodeAt(at) < FIRST_WIDE ? 1 : 2 };
    } else {
      for (const grapheme of graphemesOf(run)) {
        const end = start + grapheme.length;
        yield { start, end, width: widthOf(grapheme) };
        start = end;
      }
    }
  }
}

/** The most UTF-16 units that are segmented at once: a segmenter needs quadratic time for a long text (V8 11 to 13). */
const WINDOW = 500;

function* graphemesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const found = Array.from(graphemes.segment(text.slice(at, at + WINDOW)), ({ segment }) => segment);
    // The last one may continue beyond the window.
    if (found.length > 1 && at + WINDOW < text.length) found.pop();
    for (const grapheme of found) {
      yield grapheme;
      at += grapheme.length;
    }
  }
}

/** The widths of graphemes measured so far. Texts have few different ones, and measuring one takes microseconds. */
const widths = new Map<string, number>();
const MAX_WIDTHS = 10_000;

function widthOf(grapheme: string): number {
  const known = widths.get(grapheme);
  if (known !== undefined) return known;
  const width = displayWidth(grapheme);
  if (widths.size >= MAX_WIDTHS) widths.clear();
  widths.set(grapheme, width);
  return width;
}

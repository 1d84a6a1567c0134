import { displayWidth } from "../../src/text/dialect/width.ts";

/** Where a line of the terminal begins and ends in the text that it is cut from. */
export interface Row {
  readonly start: number;
  readonly end: number;
}

/** Something that is not cut, unless it is wider than a line. */
interface Word extends Row {
  readonly width: number;
}

/**
 * Cuts one line of text into rows of so many columns: at words, whose spaces vanish at the end of a row, or
 * anywhere. In scripts without spaces a row ends behind any character, but none begins with closing punctuation.
 */
export function wrapLine(text: string, columns: number, at: "words" | "anywhere"): Row[] {
  if (PLAIN.test(text)) return at === "words" ? plainRows(text, columns) : equalRows(text, columns);
  const whole = { start: 0, end: text.length, width: Number.POSITIVE_INFINITY };
  const rows: Word[] = [];
  for (const word of at === "words" ? wordsOf(text) : [whole]) {
    const row = rows.at(-1);
    // Between two words there are only spaces, of one column each.
    const width = row && row.width + word.start - row.end + word.width;
    if (row && width !== undefined && width <= columns)
      rows[rows.length - 1] = { ...word, start: row.start, width };
    else if (word.width <= columns) rows.push(word);
    else for (const part of partsOf(text, word, columns)) rows.push(part);
  }
  return rows.length > 0 ? rows : [{ start: 0, end: 0 }];
}

/** Most lines are of one column a character: these go without looking at each. */
const PLAIN = /^[ -~]*$/;

function plainRows(text: string, columns: number): Row[] {
  const rows: Row[] = [];
  const length = text.trimEnd().length;
  for (let start = text.search(/[^ ]|$/); start < length; ) {
    const space = length - start <= columns ? length : text.lastIndexOf(" ", start + columns);
    const end = space > start ? text.slice(start, space).trimEnd().length + start : start + columns;
    rows.push({ start, end });
    for (start = end; text[start] === " "; ) start += 1;
  }
  return rows.length > 0 ? rows : [{ start: 0, end: 0 }];
}

function equalRows(text: string, columns: number): Row[] {
  const rows = Array.from({ length: Math.ceil(text.length / columns) }, (_, index) => ({
    start: index * columns,
    end: Math.min(text.length, (index + 1) * columns),
  }));
  return rows.length > 0 ? rows : [{ start: 0, end: 0 }];
}

/** A word that is wider than a row, in parts that are not. */
function* partsOf(text: string, word: Row, columns: number): Generator<Word> {
  let part = { start: word.start, end: word.start, width: 0 };
  for (const character of charactersOf(text.slice(word.start, word.end), word.start)) {
    const width = Math.min(columns, character.width);
    if (part.width + width > columns) {
      yield part;
      part = { start: character.start, end: character.start, width: 0 };
    }
    part.end = character.end;
    part.width += width;
  }
  if (part.end > part.start) yield part;
}

const WORD = /[^ ]+/g;

/** What must not begin a row, and what must not end one. */
const CLOSING = /^[\p{Pe}\p{Pf}、。，．：；！？…‥ー～!,.:;?]/u;
const OPENING = /[\p{Ps}\p{Pi}]$/u;

/** Scripts that are written without spaces, in characters of two columns. */
const SPACELESS = /^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\u3000-\u303f\uff01-\uff60]/u;

const ASCII = /^[!-~]*$/;

/** The words between spaces; those of scripts without spaces are taken apart into characters. */
function* wordsOf(text: string): Generator<Word> {
  for (const { index: start, 0: found } of text.matchAll(WORD)) {
    const end = start + found.length;
    if (ASCII.test(found)) yield { start, end, width: found.length };
    else yield* glued(text, charactersOf(found, start));
  }
}

/** Characters that no row may end between become one word. */
function* glued(text: string, characters: Iterable<Word>): Generator<Word> {
  let word: { start: number; end: number; width: number } | undefined;
  let before = { text: "", isSpaceless: false };
  for (const { start, end, width } of characters) {
    const shown = text.slice(start, end);
    const now = { text: shown, isSpaceless: SPACELESS.test(shown) };
    const mayBreak =
      (before.isSpaceless || now.isSpaceless) && !CLOSING.test(shown) && !OPENING.test(before.text);
    if (word && mayBreak) yield word;
    if (word && !mayBreak) {
      word.end = end;
      word.width += width;
    } else {
      word = { start, end, width };
    }
    before = now;
  }
  if (word) yield word;
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** ASCII that nothing behind it joins, or anything else. */
// oxlint-disable-next-line regexp/no-super-linear-move -- Where the run is too long by its last character, one step back is enough.
const RUN = /([ -~]+(?![^ -~]))|[ -~]?[^ -~]+/gu;

/**
 * Letters, punctuation and digits that join nothing: of one column in Latin, Greek, Cyrillic, Armenian, Hebrew,
 * Arabic and Georgian, of two in Chinese, Japanese and Korean.
 */
const SIMPLE =
  /^[ -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0482\u048a-\u058f\u05d0-\u05f4\u060c\u061b\u061f-\u064a\u0660-\u066f\u0671-\u06d3\u10a0-\u10ff\u1e00-\u1fff\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u3001-\u3029\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60]+$/;
const FIRST_WIDE = 0x3000;

/** The graphemes of a text with their columns, quickly where they are simple. */
function* charactersOf(text: string, offset: number): Generator<Word> {
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

/** A segmenter takes quadratic time for a long text (V8 11 to 13), so it sees no more than this at once. */
const WINDOW = 500;

function* graphemesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const found = Array.from(graphemes.segment(text.slice(at, at + WINDOW)), ({ segment }) => segment);
    // The last one may go on behind the window.
    if (found.length > 1 && at + WINDOW < text.length) found.pop();
    for (const grapheme of found) {
      yield grapheme;
      at += grapheme.length;
    }
  }
}

/** Of characters, texts hold few different ones, and measuring one takes microseconds. */
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

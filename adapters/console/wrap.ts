import { charactersOf, type Segment } from "./characters.ts";

/** The range of a terminal's row in the text that it is cut from. */
export interface Row {
  readonly start: number;
  readonly end: number;
}

/**
 * Wraps one line of text into rows of at most `columns` columns, either between words or anywhere. Spaces at the end of
 * a row are dropped if it is wrapped between words. In scripts without spaces a row may end after any character, except
 * that no row begins with closing punctuation or ends with opening punctuation.
 */
export function wrapLine(text: string, columns: number, at: "words" | "anywhere"): Row[] {
  if (PLAIN.test(text)) return at === "words" ? plainRows(text, columns) : equalRows(text, columns);
  const whole = { start: 0, end: text.length, width: Number.POSITIVE_INFINITY };
  const rows: Segment[] = [];
  for (const word of at === "words" ? wordsOf(text) : [whole]) {
    const row = rows.at(-1);
    // Between two words there are only spaces, which have one column each.
    const width = row && row.width + word.start - row.end + word.width;
    if (row && width !== undefined && width <= columns)
      rows[rows.length - 1] = { ...word, start: row.start, width };
    else if (word.width <= columns) rows.push(word);
    else for (const part of partsOf(text, word, columns)) rows.push(part);
  }
  return rows.length > 0 ? rows : [{ start: 0, end: 0 }];
}

/** A line with one column per character. Most lines are such, and need no measuring. */
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

/** Cuts a word that is wider than a row into parts that fit. */
function* partsOf(text: string, word: Row, columns: number): Generator<Segment> {
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

/** Punctuation that must not begin a row, and punctuation that must not end one. */
const CLOSING = /^[\p{Pe}\p{Pf}、。，．：；！？…‥ー～!,.:;?]/u;
const OPENING = /[\p{Ps}\p{Pi}]$/u;

/** The scripts that are written without spaces, with two columns per character. */
const SPACELESS = /^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\u3000-\u303f\uff01-\uff60]/u;

const ASCII = /^[!-~]*$/;

/** The words of a text. Scripts without spaces are divided into characters. */
function* wordsOf(text: string): Generator<Segment> {
  for (const { index: start, 0: found } of text.matchAll(WORD)) {
    const end = start + found.length;
    if (ASCII.test(found)) yield { start, end, width: found.length };
    else yield* glued(text, charactersOf(found, start));
  }
}

/** Joins characters that a row must not end between into words. */
function* glued(text: string, characters: Iterable<Segment>): Generator<Segment> {
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

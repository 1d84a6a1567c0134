/** A line longer than this many UTF-16 units is settled before it ends; it cannot be the head of a table. */
export const LONG_LINE = 1000;

/** The minimum length of the segments of a paragraph, which are parsed separately, in UTF-16 units. */
export const MIN_SEGMENT = 500;

/** A mark without its other half within this many UTF-16 units is shown as it was written. */
const MAX_SEGMENT = 4000;

/** How far back from the desired position to search for a space, in UTF-16 units. */
const REACH = 200;

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * The ends of the segments of a paragraph, except the last one. Each depends only on the text before it and on the one
 * character after it, so it stays the same when more text arrives. `isOpen` says whether a mark, such as `**`, is
 * still open.
 */
export function segmentEnds(content: string, isOpen: (part: string) => boolean): number[] {
  const ends: number[] = [];
  let start = 0;
  for (let length = MIN_SEGMENT; content.length > start + length; ) {
    const end = boundary(content, start + length);
    if (length < MAX_SEGMENT && isOpen(content.slice(start, end))) {
      length *= 2;
    } else {
      ends.push(end);
      start = end;
      length = MIN_SEGMENT;
    }
  }
  return ends;
}

/** The length of a paragraph without its last line, which may still become the head of a table. */
export function settledLength(content: string): number {
  return content.slice(0, Math.max(0, content.lastIndexOf("\n"))).trimEnd().length;
}

function boundary(content: string, at: number): number {
  for (let i = at; i > at - REACH; i--) {
    if (content[i - 1] === "\n") return i;
    if (/[ \t]/.test(content[i - 1] ?? "") && /[^\s\p{M}\u200d]/u.test(content[i] ?? "")) return i;
  }
  const from = at - REACH;
  const found = graphemes.segment(content.slice(from, at + 2)).containing(REACH)?.index ?? 0;
  if (found > 0) return from + found;
  return isLowSurrogate(content, at) ? at - 1 : at;
}

function isLowSurrogate(content: string, at: number): boolean {
  const unit = content.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff;
}

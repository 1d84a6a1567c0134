/** A line longer than this many UTF-16 units is settled while it is still being written; it heads no table. */
export const LONG_LINE = 1000;

/** The first place where a paragraph may be cut into pieces that are parsed by themselves, in UTF-16 units. */
export const MIN_SEGMENT = 500;

/** Marks that reach further than this are shown as they were written, in UTF-16 units. */
const MAX_SEGMENT = 4000;

/** How far back from the wished place a space is looked for. */
const REACH = 200;

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * Where to cut the source of a paragraph. Each cut depends only on what stands before it and on the one
 * character behind, so it stays when the paragraph grows. `isOpen` says whether a mark, such as `**`, still
 * waits for its other half.
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

/** The last line of a growing paragraph may turn out to be the head of a table: it is not settled. */
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

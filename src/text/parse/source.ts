/** A text to parse: a whole one, or the known beginning of one that is still arriving. */
export interface Source {
  readonly text: string;
  /** "settled": parse only what no later text can change; "incomplete": complete half-written marks at the end. */
  readonly mode: "whole" | "settled" | "incomplete";
  /** The number of characters at the beginning that are there only to continue a paragraph. */
  readonly sentinel?: number;
}

/** Normalizes line breaks, and replaces unpaired surrogates, which platforms refuse; lengths in characters stay. */
export function cleanSource(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/\p{Surrogate}/gu, "\uFFFD");
}

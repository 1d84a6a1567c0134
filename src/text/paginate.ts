import type { Block } from "./block.ts";
import { placeToBreak } from "./break.ts";
import { drop, join, sizeOf, take } from "./cut.ts";
import type { Dialect } from "./dialect.ts";
import { createReader } from "./reader.ts";
import { isVisible, withCleanEdges } from "./visible.ts";

/** Turns one growing answer into messages; one pager serves one answer. */
export interface Pager<Body> {
  /**
   * All pages of the text so far. `text` only ever grows from call to call; `ended` says that it is whole.
   * Each page fits. A page that is not the last is full and never changes again, whatever follows.
   * Blank text has no pages.
   */
  pages(text: string, ended: boolean): readonly Body[];
}

/**
 * A pager for one platform. Only settled text makes a page full: where to end it is decided by what is on it
 * and the one character that does not fit any more, and neither can change.
 */
export function createPager<Body>(dialect: Dialect<Body>): Pager<Body> {
  const reader = createReader();
  const full: Body[] = [];
  let rest: readonly Block[] = [];
  /** How many units a page has had so far. */
  let usual = 1024;

  return {
    pages: (text, ended) => {
      const { settled, growing } = reader.read(text, ended);
      rest = join(rest, settled);
      for (let end = endOfPage(rest); end !== undefined; end = endOfPage(rest)) turn(end);
      if (isComplete(growing)) turn(sizeOf(rest));
      const shown = join(rest, growing);
      return [...full, ...show(take(shown, endOfPage(shown) ?? Number.POSITIVE_INFINITY))];
    },
  };

  function turn(end: number): void {
    full.push(...show(take(rest, end)));
    rest = drop(rest, end);
  }

  function show(blocks: readonly Block[]): Body[] {
    return isVisible(blocks) ? [print(blocks)] : [];
  }

  function print(blocks: readonly Block[]): Body {
    return dialect.print(withCleanEdges(blocks));
  }

  /** Where the first page ends; undefined if all fits on one. */
  function endOfPage(blocks: readonly Block[]): number | undefined {
    const most = mostThatFits(blocks);
    if (most === undefined) return undefined;
    const place = placeToBreak(blocks, most);
    // Wrapped lines and padded columns can take less room when there is more in them: better an ugly page
    // than one that is refused.
    return most === 0 || dialect.fits(print(take(blocks, place))) ? place : most;
  }

  /** How many units fit on a page; undefined if all do. The last page is a good guess for the next. */
  function mostThatFits(blocks: readonly Block[]): number | undefined {
    let fitting = 0;
    let tooMany = Number.POSITIVE_INFINITY;
    let step = Math.ceil(usual / 16);
    for (let guess = usual; tooMany - fitting > 1; guess = nextGuess(fitting, tooMany, step)) {
      const page = take(blocks, guess);
      if (!dialect.fits(print(page))) tooMany = guess;
      else if (sizeOf(page, guess) < guess) return undefined;
      else fitting = guess;
      step *= 2;
    }
    usual = Math.max(1, fitting);
    return fitting;
  }

  /** Whether what is settled fills a page, although nothing of what follows is settled. */
  function isComplete(growing: readonly Block[]): boolean {
    const [next] = growing;
    if (!next || next.continues || rest.length === 0) return false;
    const more: readonly Block[] = [...rest, { type: "paragraph", spans: [{ text: "x" }] }];
    return endOfPage(more) === sizeOf(rest);
  }
}

/** Away from the first guess in growing steps until both bounds are known, then in between. */
function nextGuess(fitting: number, tooMany: number, step: number): number {
  if (fitting === 0) return Math.max(Math.floor(tooMany / 2), tooMany - step);
  return tooMany === Number.POSITIVE_INFINITY ? fitting + step : Math.floor((fitting + tooMany) / 2);
}

import { atOnce, type Steps } from "../../system/slices.ts";
import type { Block } from "../block.ts";
import { findBreak } from "./break.ts";
import { drop, take } from "../cut.ts";
import type { Dialect } from "../dialect/dialect.ts";
import type { Known } from "./outline.ts";
import { join } from "../join.ts";
import { createIncrementalParser } from "../parse/incremental.ts";
import { createReferences } from "../parse/references.ts";
import { partsOf, sizeOf } from "../size.ts";
import { createCapacity } from "./capacity.ts";
import { isVisible, withCleanEdges } from "../visible.ts";

/** Turns one answer into messages while it arrives; a pager serves one answer. */
export interface Pager<Body> {
  /**
   * Returns all pages of the text so far. Each call passes the text of the call before, with more appended; `ended`
   * says that the text is complete. Each page fits in a message. Every page but the last is full and never changes,
   * whatever text follows. Blank text has no pages.
   */
  pages(text: string, ended: boolean): readonly Body[];
  /** Does the same in short steps, which must run to the end before the next call. */
  inSteps(text: string, ended: boolean): Steps<readonly Body[]>;
}

/** Long text is parsed in chunks of this many UTF-16 units: each takes a few ms, and parsed text needs no memory. */
const STEP = 1024;

/** Pages are cut from a window of this many page capacities, so that a long remainder is not copied for every page. */
const WINDOW = 16;

/** The smallest window, in units. */
const MIN_WINDOW = 4096;

/** If blocks were cut off from more, no page ends within this many units of the cut. */
const MARGIN = 300;

/** The most blocks, items and rows on a page: they are printed several times to find its end. */
const MAX_PARTS = 1000;

/** No block takes less room than this one: if it does not fit after other blocks, nothing does. */
const SMALLEST_BLOCK: Block = { type: "paragraph", spans: [{ text: "x" }] };

/** Blocks from which pages are cut. */
interface Part {
  readonly blocks: readonly Block[];
  /** The size of the blocks, in units. */
  readonly size: number;
  /** The blocks that follow and may still change. */
  readonly unsettled: readonly Block[];
  /** Whether nothing follows. */
  readonly ended: boolean;
  /** The blocks were cut off from more: half a link may be at their end. */
  readonly isCut?: true;
}

/** Where a page ends. */
interface PageEnd<Body> {
  readonly end: number;
  /** How many units would fit. */
  readonly capacity: number;
  /** The page as it was printed to measure it, if it is shown in the same form. */
  readonly body: Body | undefined;
}

/**
 * Creates a pager for one platform. Only settled text makes a page full. The content of a page and a little text after
 * it decide where it ends, and neither can change any more.
 */
export function createPager<Body>(dialect: Dialect<Body>): Pager<Body> {
  const parser = createIncrementalParser();
  const references = createReferences();
  const { blocks: maxBlocks = Number.POSITIVE_INFINITY } = dialect.limits;
  const isUnlimited = !Number.isFinite(dialect.limits.length);
  // A visible character has at most two units. Without these bounds, invisible text would fit without end.
  const isMeasuredInLines = dialect.limits.unit === "lines";
  const maxUnits = isMeasuredInLines ? Number.POSITIVE_INFINITY : 2 * dialect.limits.length;
  const maxParts = isMeasuredInLines ? Number.POSITIVE_INFINITY : MAX_PARTS;
  const full: Body[] = [];
  /** The settled blocks that are not on a full page. */
  let rest: readonly Block[] = [];
  /** How much of the text has been parsed, in UTF-16 units. */
  let parsed = 0;
  /** How many units fitted on the last page: the first guess for the next one. */
  let usual = 1024;

  return { pages: (text, ended) => atOnce(inSteps(text, ended)), inSteps };

  function* inSteps(text: string, ended: boolean): Steps<readonly Body[]> {
    let enough = 0;
    while (text.length > parsed + STEP) {
      rest = join(rest, yield* parser.settle(text.slice(0, (parsed += STEP))));
      yield;
      if (sizeOf(rest) < enough) continue;
      yield* cutPages([], false);
      // Wait for more text before trying again, or a page that is not full would be printed over and over.
      enough = 1.5 * sizeOf(rest);
    }
    parsed = text.length;
    const { settled, unsettled } = yield* parser.read(text, ended);
    rest = join(rest, settled);
    yield;
    yield* cutPages(unsettled, ended);
    const last = yield* lastPage(unsettled);
    return [...full, ...last];
  }

  /** The page that shows the blocks not on a full page. */
  function* lastPage(unsettled: readonly Block[]): Steps<Body[]> {
    const shown = join(rest, unsettled);
    const page = yield* endOfPage({ blocks: shown, size: sizeOf(shown), unsettled: [], ended: true });
    if (!page) return show(shown);
    // Until the end of a page is certain, everything shown on it before stays visible.
    const known = sizeOf(rest);
    if (known > page.end && known <= page.capacity) return show(rest);
    return show(take(shown, page.end), page.body);
  }

  /** Cuts off all pages whose ends are certain. */
  function* cutPages(unsettled: readonly Block[], ended: boolean): Steps<void> {
    let size = sizeOf(rest);
    for (let window = usualWindow(); size > window; ) {
      const cut = yield* cutFrom({
        blocks: take(rest, window),
        size: window,
        unsettled: [],
        ended: false,
        isCut: true,
      });
      rest = drop(rest, cut);
      size -= cut;
      window = cut === 0 ? window * 4 : usualWindow();
    }
    rest = drop(rest, yield* cutFrom({ blocks: rest, size, unsettled, ended }));
  }

  function usualWindow(): number {
    return Math.max(MIN_WINDOW, WINDOW * usual);
  }

  /** Cuts pages off a part and returns how many units they hold. */
  function* cutFrom(part: Part): Steps<number> {
    let { blocks, size } = part;
    for (;;) {
      const page = yield* endOfPage({ ...part, blocks, size });
      if (!page) return part.size - size;
      const taken = take(blocks, page.end);
      full.push(...show(taken, page.body));
      references.addPage(taken);
      usual = Math.max(1, page.capacity);
      blocks = drop(blocks, page.end);
      size -= page.end;
      yield;
    }
  }

  /** Prints the page unless it is blank; a page that was printed already is passed as `body`. */
  function show(page: readonly Block[], body?: Body): Body[] {
    const blocks = references.resolve(page, false);
    return isVisible(blocks) ? [body ?? print(blocks)] : [];
  }

  function print(blocks: readonly Block[]): Body {
    return dialect.print(withCleanEdges(blocks));
  }

  /** Where the first page ends; undefined if all blocks fit, or if this depends on text that is not settled. */
  function* endOfPage({ blocks, size, ...part }: Part): Steps<PageEnd<Body> | undefined> {
    const { unsettled, ended } = part;
    const printed = new Map<number, Body>();
    const fits = (units: number) => {
      if (units > maxUnits) return false;
      const page = units > size ? [...blocks, SMALLEST_BLOCK] : take(blocks, units);
      if (page.length > maxBlocks || partsOf(page) > maxParts) return false;
      if (isUnlimited) return true;
      const measured = references.resolve(page, true);
      const body = print(measured);
      if (measured === page) printed.set(units, body);
      return dialect.fits(body);
    };
    // If the page has the maximum number of blocks and all of them fit, it ends after the last one.
    const follows = blocks.length > maxBlocks || (blocks.length === maxBlocks && isNew(unsettled[0]));
    const whole = follows ? sizeOf(blocks.slice(0, maxBlocks)) : 0;
    if (follows && fits(whole)) return { end: whole, capacity: whole, body: printed.get(whole) };
    if (isUnlimited) return undefined;
    const capacity = createCapacity(usual, fits);
    for (let horizon = 2 * usual + MARGIN; ; horizon *= 4) {
      const isAll = horizon >= size;
      const known: Known = isAll
        ? { blocks: join(blocks, unsettled), settled: size, ended, follows: size > 0 && isNew(unsettled[0]) }
        : { blocks: take(blocks, horizon), settled: horizon, ended: false, follows: false };
      const at = yield* findBreak(known, capacity);
      const isSafe = (isAll && !part.isCut) || capacity.high < known.settled - MARGIN;
      // Wrapped lines and padded columns can take less room when they hold more text, so this checks once more: an
      // ugly page is better than one that the platform refuses.
      if (at !== undefined && isSafe) {
        const end = at >= capacity.low || fits(at) ? at : yield* capacity.exact();
        return { end, capacity: capacity.low, body: printed.get(end) };
      }
      if (isAll) return undefined;
    }
  }
}

function isNew(block: Block | undefined): boolean {
  return block !== undefined && !block.continues;
}

import { atOnce, type Steps } from "../../system/slices.ts";
import type { Block } from "../block.ts";
import { placeToBreak } from "./break.ts";
import { drop, join, partsOf, sizeOf, take } from "../cut.ts";
import type { Dialect } from "../dialect/dialect.ts";
import type { Known } from "./outline.ts";
import { createIncrementalParser } from "../parse/incremental.ts";
import { createReferences } from "../parse/references.ts";
import { createCapacity } from "./capacity.ts";
import { isVisible, withCleanEdges } from "../visible.ts";

/** Turns one growing answer into messages; one pager serves one answer. */
export interface Pager<Body> {
  /**
   * All pages of the text so far. `text` only ever grows from call to call; `ended` says that it is whole.
   * Each page fits. A page that is not the last is full and never changes again, whatever follows.
   * Blank text has no pages.
   */
  pages(text: string, ended: boolean): readonly Body[];
  /** The same work in short steps, which must be done to the end before the next call. */
  inSteps(text: string, ended: boolean): Steps<readonly Body[]>;
}

/** A long text is read in pieces of this many UTF-16 units: each takes a few ms, and what is done with needs no memory. */
const STEP = 1024;

/** Pages are looked for in so many times what fits on one, so that a long rest is not copied for every page. */
const WINDOW = 16;

/** But in no fewer units than this. */
const MIN_WINDOW = 4096;

/** No page reaches so far, in units, into the end of what was cut off from more. */
const MARGIN = 300;

/** A page has no more blocks, items and rows than this: they are printed several times to find its end. */
const MAX_PARTS = 1000;

/** Put behind blocks, this tells whether any other block would fit there: none takes less room. */
const SMALLEST_BLOCK: Block = { type: "paragraph", spans: [{ text: "x" }] };

/** The beginning of what has to become pages. */
interface Part {
  readonly blocks: readonly Block[];
  /** How many units these are. */
  readonly size: number;
  /** What follows that may still become something else. */
  readonly growing: readonly Block[];
  /** Nothing follows. */
  readonly ended: boolean;
  /** It was cut off from more: at its end there may be half a link. */
  readonly isCut?: true;
}

interface End<Body> {
  readonly end: number;
  /** How many units would fit. */
  readonly capacity: number;
  /** The page as it was printed to measure it, if it is shown like that. */
  readonly body: Body | undefined;
}

/**
 * A pager for one platform. Only settled text makes a page full: where to end it is decided by what is on it and
 * the little behind it that tells a good place from a bad one, and neither can change.
 */
export function createPager<Body>(dialect: Dialect<Body>): Pager<Body> {
  const parser = createIncrementalParser();
  const references = createReferences();
  const { blocks: mostBlocks = Number.POSITIVE_INFINITY } = dialect.limits;
  const isBoundless = !Number.isFinite(dialect.limits.length);
  // What can be seen has at most two units a character; the bounds are for what cannot, which would fit without end.
  const isOfLines = dialect.limits.unit === "lines";
  const mostUnits = isOfLines ? Number.POSITIVE_INFINITY : 2 * dialect.limits.length;
  const mostParts = isOfLines ? Number.POSITIVE_INFINITY : MAX_PARTS;
  const full: Body[] = [];
  let rest: readonly Block[] = [];
  /** How much of the text was read, in UTF-16 units. */
  let seen = 0;
  /** How many units fitted on the last page: a good guess for the next. */
  let usual = 1024;

  return { pages: (text, ended) => atOnce(inSteps(text, ended)), inSteps };

  function* inSteps(text: string, ended: boolean): Steps<readonly Body[]> {
    let enough = 0;
    while (text.length > seen + STEP) {
      rest = join(rest, yield* parser.settle(text.slice(0, (seen += STEP))));
      yield;
      if (sizeOf(rest) < enough) continue;
      yield* turnPages([], false);
      // Of what fills no page more must come, or it would be printed again and again.
      enough = 1.5 * sizeOf(rest);
    }
    seen = text.length;
    const { settled, growing } = yield* parser.read(text, ended);
    rest = join(rest, settled);
    yield;
    yield* turnPages(growing, ended);
    const first = yield* firstPage(growing);
    return [...full, ...first];
  }

  /** What is shown of what has not become pages. */
  function* firstPage(growing: readonly Block[]): Steps<Body[]> {
    const shown = join(rest, growing);
    const last = yield* endOfPage({ blocks: shown, size: sizeOf(shown), growing: [], ended: true });
    if (!last) return show(shown);
    // What was seen of a page stays in sight while it is not certain where the page ends.
    const known = sizeOf(rest);
    if (known > last.end && known <= last.capacity) return show(rest);
    return show(take(shown, last.end), last.body);
  }

  /** Takes off all pages whose ends are certain. */
  function* turnPages(growing: readonly Block[], ended: boolean): Steps<void> {
    let size = sizeOf(rest);
    for (let window = widest(); size > window; ) {
      const turned = yield* turnIn({
        blocks: take(rest, window),
        size: window,
        growing: [],
        ended: false,
        isCut: true,
      });
      rest = drop(rest, turned);
      size -= turned;
      window = turned === 0 ? window * 4 : widest();
    }
    rest = drop(rest, yield* turnIn({ blocks: rest, size, growing, ended }));
  }

  function widest(): number {
    return Math.max(MIN_WINDOW, WINDOW * usual);
  }

  /** Returns how many units became pages. */
  function* turnIn(part: Part): Steps<number> {
    let { blocks, size } = part;
    for (;;) {
      const page = yield* endOfPage({ ...part, blocks, size });
      if (!page) return part.size - size;
      const taken = take(blocks, page.end);
      full.push(...show(taken, page.body));
      references.turn(taken);
      usual = Math.max(1, page.capacity);
      blocks = drop(blocks, page.end);
      size -= page.end;
      yield;
    }
  }

  /** The page, if anything can be seen of it; `body` if it was printed already. */
  function show(page: readonly Block[], body?: Body): Body[] {
    const blocks = references.resolve(page, false);
    return isVisible(blocks) ? [body ?? print(blocks)] : [];
  }

  function print(blocks: readonly Block[]): Body {
    return dialect.print(withCleanEdges(blocks));
  }

  /** Where the first page ends; undefined if all fits, or if more has to be known. */
  function* endOfPage({ blocks, size, ...part }: Part): Steps<End<Body> | undefined> {
    const { growing, ended } = part;
    const printed = new Map<number, Body>();
    const fits = (units: number) => {
      if (units > mostUnits) return false;
      const page = units > size ? [...blocks, SMALLEST_BLOCK] : take(blocks, units);
      if (page.length > mostBlocks || partsOf(page) > mostParts) return false;
      if (isBoundless) return true;
      const measured = references.resolve(page, true);
      const body = print(measured);
      if (measured === page) printed.set(units, body);
      return dialect.fits(body);
    };
    // Where a page has so many blocks and no more, there is nothing to weigh.
    const follows = blocks.length > mostBlocks || (blocks.length === mostBlocks && isNew(growing[0]));
    const whole = follows ? sizeOf(blocks.slice(0, mostBlocks)) : 0;
    if (follows && fits(whole)) return { end: whole, capacity: whole, body: printed.get(whole) };
    if (isBoundless) return undefined;
    const capacity = createCapacity(usual, fits);
    for (let horizon = 2 * usual + MARGIN; ; horizon *= 4) {
      const isAll = horizon >= size;
      const known: Known = isAll
        ? { blocks: join(blocks, growing), settled: size, ended, follows: size > 0 && isNew(growing[0]) }
        : { blocks: take(blocks, horizon), settled: horizon, ended: false, follows: false };
      const place = yield* placeToBreak(known, capacity);
      const isSafe = (isAll && !part.isCut) || capacity.high < known.settled - MARGIN;
      // Wrapped lines and padded columns can take less room when there is more in them: better an ugly page
      // than one that is refused.
      if (place !== undefined && isSafe) {
        const end = place >= capacity.low || fits(place) ? place : yield* capacity.exact();
        return { end, capacity: capacity.low, body: printed.get(end) };
      }
      if (isAll) return undefined;
    }
  }
}

function isNew(block: Block | undefined): boolean {
  return block !== undefined && !block.continues;
}

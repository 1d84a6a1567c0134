import { setImmediate as nextTurn } from "node:timers/promises";

/** Work that may pause after each short step; it returns its result. */
export type Steps<T> = Generator<void, T, void>;

/** How long work goes on in one turn of the event loop, in ms: nobody notices a pause of several of these. */
const SLICE_MS = 5;

/** When long work began in this turn of the event loop; undefined if there was none. */
let began: number | undefined;

/** Ends when all that wait have had a turn: no two go on in the same one. */
let queue: Promise<void> = Promise.resolve();

/** Does long work step by step, and leaves room for everything else in between; resolves with what the work returns. */
export async function inSlices<T>(work: Steps<T>): Promise<T> {
  for (;;) {
    const isOver = elapsed() >= SLICE_MS;
    if (isOver) await (queue = queue.then(() => nextTurn()));
    const step = work.next();
    if (step.done) return step.value;
  }
}

/** Does the same work at once. */
export function atOnce<T>(work: Steps<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

function elapsed(): number {
  const now = performance.now();
  if (began === undefined) {
    began = now;
    setImmediate(() => (began = undefined));
  }
  return now - began;
}

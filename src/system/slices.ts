import { setImmediate as nextTurn } from "node:timers/promises";

/** Work that can pause after each short step, and returns its result. */
export type Steps<T> = Generator<void, T, void>;

/** How long work may run in one turn of the event loop, in ms; a pause of several of these is not noticeable. */
const SLICE_MS = 5;

/** When work began in this turn of the event loop; undefined if none has. */
let began: number | undefined;

/** Resolves when all waiting work has had its turn, so that no two continue in the same one. */
let queue: Promise<void> = Promise.resolve();

/** Runs long work in slices, with other work of the process in between; resolves with its result. */
export async function inSlices<T>(work: Steps<T>): Promise<T> {
  for (;;) {
    const isOver = elapsed() >= SLICE_MS;
    if (isOver) await (queue = queue.then(() => nextTurn()));
    const step = work.next();
    if (step.done) return step.value;
  }
}

/** Runs the work to its end at once. */
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

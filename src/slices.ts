import { setImmediate as nextTurn } from "node:timers/promises";

/** How long work goes on before others get their turn, in ms: people do not notice a pause of several of these. */
const SLICE_MS = 10;

/** Ends when all that wait have had their turn of the event loop: no two long tasks work in the same one. */
let queue: Promise<void> = Promise.resolve();

/** Does long work step by step, and leaves room for everything else between them; resolves with what the work returns. */
export async function inSlices<T>(work: Iterator<unknown, T>): Promise<T> {
  let began = performance.now();
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    if (performance.now() - began < SLICE_MS) continue;
    await (queue = queue.then(() => nextTurn()));
    began = performance.now();
  }
}

/** Does the same work at once. */
export function atOnce<T>(work: Iterator<unknown, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

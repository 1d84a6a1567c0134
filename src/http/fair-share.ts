/**
 * Starts requests a few at a time, so that many of them do not delay the other work of the process. Returns undefined if
 * a request may begin at once, otherwise a promise to wait for; requests begin in the order of arrival.
 */
export type FairShare = () => Promise<void> | undefined;

/**
 * How many requests may begin per turn of the event loop: some milliseconds of work, unnoticeable to a page that loads.
 */
const MAX_PER_TURN = 4;

/**
 * Creates a fair share of `perTurn` requests per turn of the event loop. Without it, clients that send requests without a
 * pause, over hundreds of connections, would be served before the next chunk of any answer is written.
 */
export function createFairShare(perTurn = MAX_PER_TURN): FairShare {
  const waiting: (() => void)[] = [];
  let begun = 0;
  let isScheduled = false;
  return () => {
    schedule();
    if (waiting.length === 0 && begun < perTurn) {
      begun += 1;
      return undefined;
    }
    return new Promise((resolve) => waiting.push(resolve));
  };

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      const next = waiting.splice(0, perTurn);
      begun = next.length;
      for (const begin of next) begin();
      if (begun > 0) schedule();
    });
  }
}

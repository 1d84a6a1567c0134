/** Lets requests begin a few at a time, so that many of them do not delay what else the process does. */
export type FairShare = () => Promise<void> | undefined;

/**
 * This many requests begin in one turn of the event loop: some milliseconds of work, and never felt by a page that
 * loads.
 */
const MAX_PER_TURN = 4;

/**
 * Clients that ask without a pause, over hundreds of connections, would otherwise be served before the next piece of any
 * answer is written. Returns undefined if the request may begin at once, else what it waits for; in the order of arrival.
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

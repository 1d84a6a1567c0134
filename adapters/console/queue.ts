/** A queue that one consumer iterates over until it is ended. */
export interface InputQueue<T> extends AsyncIterable<T> {
  /** Whether an item waits to be consumed. */
  readonly hasItems: boolean;
  push(item: T): void;
  end(): void;
}

/** Creates an empty queue. Items that were pushed before its end are still delivered. */
export function createInputQueue<T>(): InputQueue<T> {
  const items: T[] = [];
  let ended = false;
  let wake = () => {};
  return {
    get hasItems() {
      return items.length > 0;
    },
    push: (item) => {
      items.push(item);
      wake();
    },
    end: () => {
      ended = true;
      wake();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const item = items.shift();
        if (item !== undefined) yield item;
        else if (ended) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

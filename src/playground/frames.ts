import type { Frame, Line, News } from "./protocol.ts";

/** The whole contents of a window, before they are compared with the previous frame. */
export type Shown = Omit<Frame, "lines"> & { readonly lines: readonly Line[] };

/** Sends subscribers what has changed in the windows, at most ten times a second. */
export interface Frames {
  /** Announces that a window may have changed. */
  changed(): void;
  /** Sends something else to all subscribers at once. */
  publish(news: News): void;
  /** Subscribes to all changes, beginning with the current contents of all windows. Returns a function that unsubscribes. */
  subscribe(listener: (news: News) => void): () => void;
  close(): void;
}

/** The time between frames, in ms. */
const FRAME_MS = 100;
/** How often to check for changes that are not announced, in ms: typing ends, and drafts fade. */
const CHECK_MS = 1000;

/** `show` returns the contents of all windows; `now` returns what else a new subscriber should receive. */
export function createFrames({
  show,
  now,
}: {
  readonly show: () => readonly Shown[];
  readonly now: () => readonly News[];
}): Frames {
  const listeners = new Set<(news: News) => void>();
  /** The last frame of each window: its lines as JSON, and the frame as JSON with only the ids of its lines. */
  const known = new Map<string, { frame: string; lines: ReadonlyMap<string, string>; shown: Shown }>();
  let timer: NodeJS.Timeout | undefined;
  const checking = setInterval(changed, CHECK_MS).unref();

  return {
    changed,
    publish,
    subscribe: (listener) => {
      flush();
      for (const { shown } of known.values()) listener(shown);
      for (const news of now()) listener(news);
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => {
      clearInterval(checking);
      clearTimeout(timer);
      listeners.clear();
    },
  };

  function changed(): void {
    if (listeners.size > 0) timer ??= setTimeout(flush, FRAME_MS).unref();
  }

  function publish(news: News): void {
    for (const listener of listeners) listener(news);
  }

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    for (const shown of show()) {
      const key = `${shown.window} ${shown.person}`;
      const before = known.get(key);
      const lines = new Map(shown.lines.map((line) => [line.id, JSON.stringify(line)]));
      const fresh = shown.lines.map((line) =>
        before?.lines.get(line.id) === lines.get(line.id) ? line.id : line,
      );
      const frame = JSON.stringify({ ...shown, lines: [...lines.keys()] });
      known.set(key, { frame, lines, shown });
      if (before?.frame === frame && fresh.every((line) => typeof line === "string")) continue;
      publish({ ...shown, lines: fresh });
    }
  }
}

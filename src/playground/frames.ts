import type { Frame, Line, News } from "./protocol.ts";

/** What a window shows, before it is compared with what it has shown. */
export type Shown = Omit<Frame, "lines"> & { readonly lines: readonly Line[] };

/** Tells listeners what has changed on the screens, a few times a second. */
export interface Frames {
  /** Something may look different now. */
  changed(): void;
  /** Something else that listeners should know at once. */
  tell(news: News): void;
  /** From now on; begins with everything as it stands. Returns how to end. */
  listen(listener: (news: News) => void): () => void;
  close(): void;
}

/** Frames follow each other at this distance, in ms. */
const FRAME_MS = 100;
/** Typing ends and drafts fade without anybody saying so: it is looked after so often, in ms. */
const LOOK_MS = 1000;

/** `show`: all screens as they are. `now`: what a new listener should know beside them. */
export function createFrames({
  show,
  now,
}: {
  readonly show: () => readonly Shown[];
  readonly now: () => readonly News[];
}): Frames {
  const listeners = new Set<(news: News) => void>();
  /** The lines as JSON, and the whole frame with ids alone. */
  const known = new Map<string, { frame: string; lines: ReadonlyMap<string, string>; shown: Shown }>();
  let timer: NodeJS.Timeout | undefined;
  const looking = setInterval(changed, LOOK_MS).unref();

  return {
    changed,
    tell,
    listen: (listener) => {
      flush();
      for (const { shown } of known.values()) listener(shown);
      for (const news of now()) listener(news);
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => {
      clearInterval(looking);
      clearTimeout(timer);
      listeners.clear();
    },
  };

  function changed(): void {
    if (listeners.size > 0) timer ??= setTimeout(flush, FRAME_MS).unref();
  }

  function tell(news: News): void {
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
      tell({ ...shown, lines: fresh });
    }
  }
}

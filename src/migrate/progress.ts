import type { Place } from "./end.ts";

/** How far one part of a migration is. */
export interface Step {
  readonly action: "copying" | "comparing";
  readonly place: Place;
  /** In records. */
  readonly done: number;
  readonly total: number;
}

/** Tells people how far a migration is. */
export interface Progress {
  show(step: Step): void;
  /** Nothing more comes: the line in a terminal is at its end. */
  end(): void;
}

/** How often it is told, in ms. */
const EVERY_MS = 1_000;

const NAMES: Readonly<Record<Place, string>> = {
  history: "conversations",
  kept: "kept texts",
  dead: "dead letters",
  wishes: "wishes for another try",
  web: "records of the web chat",
  queue: "waiting events",
};

/** A line a second, and one for the end of each part; in a terminal one line that is written again. */
export function createProgress(stream: { readonly isTTY?: boolean; write(text: string): unknown }): Progress {
  let toldAt = 0;
  let open = false;

  const end = () => {
    if (open) stream.write("\n");
    open = false;
  };
  return {
    end,
    show: ({ action, place, done, total }) => {
      const finished = done >= total;
      if (!finished && Date.now() - toldAt < EVERY_MS) return;
      toldAt = Date.now();
      const share = total === 0 ? 100 : Math.floor((done / total) * 100);
      const line = `${action} ${NAMES[place]}: ${done} of ${total} (${share} %)`;
      stream.write(stream.isTTY ? `\r${line}\u001B[K` : `${line}\n`);
      open = stream.isTTY === true;
      if (finished) end();
    },
  };
}

import type { CopiedTable } from "./end.ts";

/** The progress of one part of a migration. */
export interface Step {
  readonly action: "copying" | "comparing";
  readonly table: CopiedTable;
  /** In records. */
  readonly done: number;
  readonly total: number;
}

/** Shows the progress of a migration. */
export interface Progress {
  show(step: Step): void;
  /** Ends the line in a terminal. */
  end(): void;
}

/** How often to show progress, in ms. */
const EVERY_MS = 1_000;

const NAMES: Readonly<Record<CopiedTable, string>> = {
  history: "conversations",
  kept: "stored values",
  dead: "dead letters",
  wishes: "requested retries",
  web: "records of the web chat",
  queue: "waiting events",
};

/** Writes one line a second, and one at the end of each part; in a terminal it rewrites a single line. */
export function createProgress(stream: { readonly isTTY?: boolean; write(text: string): unknown }): Progress {
  let shownAt = 0;
  let open = false;

  const end = () => {
    if (open) stream.write("\n");
    open = false;
  };
  return {
    end,
    show: ({ action, table, done, total }) => {
      const finished = done >= total;
      if (!finished && Date.now() - shownAt < EVERY_MS) return;
      shownAt = Date.now();
      const share = total === 0 ? 100 : Math.floor((done / total) * 100);
      const line = `${action} ${NAMES[table]}: ${done} of ${total} (${share} %)`;
      stream.write(stream.isTTY ? `\r${line}\u001B[K` : `${line}\n`);
      open = stream.isTTY === true;
      if (finished) end();
    },
  };
}

import type { Accounts } from "./accounts.ts";

/** Notices that somebody whose connection is open may not come in any more, whichever process has seen to that. */
export interface Watch {
  follow(pass: string): Watched;
  /** This session has ended here: its followers hear at once. */
  end(pass: string): void;
}

/** What was let in by a session or an API key. */
export interface Watched {
  /** Aborted once that is not valid any more. */
  readonly ended: AbortSignal;
  /** Nobody waits for that any more. */
  stop(): void;
}

/** How often it is checked, in ms; all that is open is checked in one go. */
const CHECK_MS = 1_000;

/** Watches sessions and API keys, by their `pass`. */
export function createWatch({ holders }: Pick<Accounts, "holders">): Watch {
  const open = new Map<string, Set<AbortController>>();
  let timer: NodeJS.Timeout | undefined;
  return {
    follow: (pass) => {
      const controller = new AbortController();
      const all = open.get(pass) ?? new Set();
      open.set(pass, all.add(controller));
      timer ??= later();
      const stop = () => {
        all.delete(controller);
        if (all.size === 0 && open.get(pass) === all) open.delete(pass);
      };
      return { ended: controller.signal, stop };
    },
    end,
  };

  function end(pass: string): void {
    const all = open.get(pass);
    open.delete(pass);
    for (const controller of all ?? []) controller.abort();
  }

  function later(): NodeJS.Timeout {
    return setTimeout(() => void check(), CHECK_MS).unref();
  }

  async function check(): Promise<void> {
    const passes = [...open.keys()];
    // A store that does not work says nothing about anyone; what is asked anew meanwhile is refused.
    const found = await holders(passes).catch(() => undefined);
    found?.forEach((user, index) => user === undefined && end(passes[index] ?? ""));
    timer = open.size > 0 ? later() : undefined;
  }
}

import type { Accounts } from "./accounts.ts";

/** Ends open connections once their session or API key is no longer valid, whichever process has revoked it. */
export interface Watch {
  follow(pass: string): Watched;
  /** Ends the connections of this session at once. */
  end(pass: string): void;
}

/** A session or an API key that a connection depends on. */
export interface Watched {
  /** Aborted once the session or the key is no longer valid. */
  readonly ended: AbortSignal;
  /** Call it when the connection is closed. */
  stop(): void;
}

/** How often all watched sessions and keys are checked together, in ms. */
const CHECK_INTERVAL_MS = 1_000;

/** Creates a watch of sessions and API keys, by their `pass`. */
export function createWatch({ holders }: Pick<Accounts, "holders">): Watch {
  const watched = new Map<string, Set<AbortController>>();
  let timer: NodeJS.Timeout | undefined;
  return {
    follow: (pass) => {
      const controller = new AbortController();
      const controllers = watched.get(pass) ?? new Set();
      watched.set(pass, controllers.add(controller));
      timer ??= schedule();
      const stop = () => {
        controllers.delete(controller);
        if (controllers.size === 0 && watched.get(pass) === controllers) watched.delete(pass);
      };
      return { ended: controller.signal, stop };
    },
    end,
  };

  function end(pass: string): void {
    const controllers = watched.get(pass);
    watched.delete(pass);
    for (const controller of controllers ?? []) controller.abort();
  }

  function schedule(): NodeJS.Timeout {
    return setTimeout(() => void check(), CHECK_INTERVAL_MS).unref();
  }

  async function check(): Promise<void> {
    const passes = [...watched.keys()];
    // A store that fails says nothing about anyone. New requests are refused until it works again.
    const users = await holders(passes).catch(() => undefined);
    users?.forEach((user, index) => user === undefined && end(passes[index] ?? ""));
    timer = watched.size > 0 ? schedule() : undefined;
  }
}

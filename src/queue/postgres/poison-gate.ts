import { concurrencyAfter, POISON_AFTER, PROVEN_MS, SURVIVED_MS } from "../retry-policy.ts";
import type { TakenEvent } from "./inbox.ts";

/** Decides when an event with which processes may have died begins again in this process. */
export interface PoisonGate {
  /** Returns whether the event may begin; then `end` must be called when it has ended. */
  tryBegin(taken: TakenEvent): Promise<boolean>;
  end(taken: TakenEvent): void;
}

/** An event that is running and with which processes may have died. */
interface RunningPoison {
  readonly deaths: number;
  /** When it began, in ms since the epoch. */
  readonly at: number;
}

/** Creates the gate of one worker pool. `hasSafer` tells whether another event with fewer deaths is waiting. */
export function createPoisonGate(
  hasSafer: (taken: TakenEvent, deaths: number) => Promise<boolean>,
): PoisonGate {
  /** By the event's number. */
  const running = new Map<number, RunningPoison>();
  /** Since when an event has waited for safer ones, in ms since the epoch, by its number. */
  const waitingSince = new Map<number, number>();
  /** How many events have ended here, and so did not end this process at once. */
  let proven = 0;

  return {
    tryBegin: async (taken) => {
      const deaths = deathsOf(taken);
      if (deaths === 0) return true;
      if (!(await isNext(taken, deaths)) || !hasRoom(deaths)) return false;
      running.set(taken.number, { deaths, at: Date.now() });
      return true;
    },
    end: ({ number }) => {
      if (running.delete(number)) proven += 1;
    },
  };

  /** An event with several deaths lets safer ones begin first, but waits no longer than those can take. */
  async function isNext(taken: TakenEvent, deaths: number): Promise<boolean> {
    if (deaths < 2) return true;
    const { number } = taken;
    const since = waitingSince.get(number) ?? Date.now();
    waitingSince.set(number, since);
    if (Date.now() - since < SURVIVED_MS && (await hasSafer(taken, deaths))) return false;
    waitingSince.delete(number);
    return true;
  }

  /** Allows one at first, and then as many as have not ended the process at once. */
  function hasRoom(deaths: number): boolean {
    const all = [...running.values()];
    const atOnce = Math.min(concurrencyAfter(deaths), ...all.map((one) => concurrencyAfter(one.deaths)));
    const young = all.filter(({ at }) => Date.now() - at < PROVEN_MS.poison).length;
    return all.length < atOnce && young < Math.max(1, proven + all.length - young);
  }
}

/** How often an event was begun and neither ended nor was given back, as far as is known. */
export function deathsOf({ attempts, failures }: TakenEvent): number {
  return attempts > POISON_AFTER ? POISON_AFTER : Math.max(0, attempts - 1 - failures);
}

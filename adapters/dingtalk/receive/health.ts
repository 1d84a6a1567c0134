import { describeError } from "../../../src/errors.ts";
import { DingtalkRefusal } from "../errors.ts";
import type { AdapterLog } from "../../../src/log.ts";
import { backOff, spread } from "../../../src/system/back-off.ts";

/** Whether messages from DingTalk are received; logs each change once. */
export interface Health {
  /** A sentence for the operator; undefined if all is well. */
  readonly problem: string | undefined;
  failed(error: unknown): void;
  recovered(): void;
}

/** Creates a health without a problem. */
export function createHealth(log: AdapterLog): Health {
  let problem: { readonly kind: string; readonly sentence: string } | undefined;
  return {
    get problem() {
      return problem?.sentence;
    },
    failed: (error) => {
      const now = {
        kind: error instanceof DingtalkRefusal ? error.kind : "lost",
        sentence: describeError(error),
      };
      if (now.kind !== problem?.kind) log.warn({ problem: now.kind }, `${now.sentence}; trying again`);
      problem = now;
    },
    recovered: () => {
      if (problem) log.info({}, "receiving from DingTalk again");
      problem = undefined;
    },
  };
}

/** Longest pause between two attempts, in ms. */
const MAX_PAUSE_MS = 30_000;

/** How long to wait after this many failures in a row, in ms: twice as long each time, with jitter. */
export function pauseAfter(error: unknown, failures: number, firstPauseMs: number): number {
  const { retryAfterMs, kind } = error instanceof DingtalkRefusal ? error : {};
  // Only the operator can fix these, and frequent attempts could make DingTalk block the app.
  const isFinal = kind === "credentials" || kind === "refused";
  const pauseMs = isFinal
    ? spread(MAX_PAUSE_MS)
    : backOff(failures, { firstMs: firstPauseMs, maxMs: MAX_PAUSE_MS });
  return Math.max(pauseMs, retryAfterMs ?? 0);
}

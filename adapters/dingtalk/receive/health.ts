import { describeError } from "../../../src/errors.ts";
import { DingtalkRefusal } from "../errors.ts";
import type { Log } from "../log.ts";

/** Whether DingTalk is being received; each change is logged once. */
export interface Health {
  /** For the operator; undefined if all is well. */
  readonly problem: string | undefined;
  failed(error: unknown): void;
  recovered(): void;
}

/** Keeps in mind what is wrong. */
export function createHealth(log: Log): Health {
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
      if (problem) log.info({}, "DingTalk is received again");
      problem = undefined;
    },
  };
}

/** The longest pause between two attempts, in ms. */
const MAX_PAUSE_MS = 30_000;

/** How long to wait after so many failures in a row, in ms: twice as long each time, and not all at the same moment. */
export function pauseAfter(error: unknown, failures: number, firstPauseMs: number): number {
  const { retryAfterMs, kind } = error instanceof DingtalkRefusal ? error : {};
  // Only a person can help: often asked, DingTalk would only block.
  const waits = kind === "credentials" || kind === "refused";
  const pauseMs = waits ? MAX_PAUSE_MS : Math.min(MAX_PAUSE_MS, firstPauseMs * 2 ** (failures - 1));
  return Math.max(pauseMs, retryAfterMs ?? 0) * (0.75 + Math.random() / 2);
}

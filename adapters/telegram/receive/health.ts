import { setTimeout as sleep } from "node:timers/promises";
import { ConfigError, describeError } from "../../../src/errors.ts";
import { TelegramRefusal } from "../errors.ts";
import type { AdapterLog } from "../../../src/log.ts";
import { backOff, spread } from "../../../src/system/back-off.ts";

/** Why no messages are being received. */
interface Problem {
  readonly kind: "unreachable" | "refused" | "conflict" | "token" | "storage";
  /** The explanation for the operator. */
  readonly sentence: string;
}

/** Whether messages from Telegram are being received. Each change is logged once. */
export interface Health {
  readonly problem: Problem | undefined;
  /**
   * Repeats the action until it succeeds, with a pause that grows after each failure, or the one that Telegram asks
   * for. Rejects if the action throws a `ConfigError`, and with the signal's reason when it aborts.
   */
  retry<T>(action: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** The first and the longest pause between two attempts, in ms, unless Telegram asks for a longer one. */
const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 30_000;

/** The first pause after a conflict, in ms: at least the 3 s by which Telegram delays a second poller (telegram-bot-api, Client.cpp). */
const CONFLICT_PAUSE_MS = 4000;

/** Creates a health that remembers the current problem. */
export function createHealth(log: AdapterLog): Health {
  let problem: Problem | undefined;

  return {
    get problem() {
      return problem;
    },
    retry: async (action, signal) => {
      for (let failures = 0; ; failures += 1) {
        try {
          const result = await action();
          recovered();
          return result;
        } catch (error) {
          signal.throwIfAborted();
          if (error instanceof ConfigError) throw error;
          failed(toProblem(error));
          await sleep(pauseAfter(error, failures), undefined, { signal }).catch(() =>
            signal.throwIfAborted(),
          );
        }
      }
    },
  };

  function failed(now: Problem): void {
    if (now.kind !== problem?.kind) log.warn({ problem: now.kind }, `${now.sentence}; trying again`);
    problem = now;
  }

  function recovered(): void {
    if (problem) log.info({}, "receiving from Telegram again");
    problem = undefined;
  }
}

function toProblem(error: unknown): Problem {
  if (!(error instanceof TelegramRefusal)) {
    const sentence = `could not store messages from Telegram, which will deliver them again: ${describeError(error)}`;
    return { kind: "storage", sentence };
  }
  const { status, message } = error;
  if (status === 0 || status >= 500) return { kind: "unreachable", sentence: message };
  if (status === 401 || status === 404) return { kind: "token", sentence: message };
  if (status !== 409) return { kind: "refused", sentence: message };
  const sentence = /webhook/i.test(error.description)
    ? "another program has set a webhook for this Telegram bot and receives its messages: stop that program, then restart this one"
    : "another program receives with the same Telegram bot token: stop it, or create a bot for each program";
  return { kind: "conflict", sentence };
}

/** How long to wait after this error, in ms; `failures` is the number of failures before it. */
export function pauseAfter(error: unknown, failures: number): number {
  const { retryAfterMs, status } = error instanceof TelegramRefusal ? error : {};
  // Not before the time that Telegram asks for.
  if (retryAfterMs !== undefined) return Math.max(retryAfterMs, FIRST_PAUSE_MS / 2) * (1 + Math.random() / 4);
  if (status === 401 || status === 404) return spread(MAX_PAUSE_MS);
  const firstMs = status === 409 ? CONFLICT_PAUSE_MS : FIRST_PAUSE_MS;
  return backOff(failures + 1, { firstMs, maxMs: MAX_PAUSE_MS });
}

import { setTimeout as sleep } from "node:timers/promises";
import { ConfigError, describeError } from "../../../src/errors.ts";
import { TelegramRefusal } from "../errors.ts";
import type { Log } from "../log.ts";

/** Why nothing is received at the moment. */
interface Problem {
  readonly kind: "unreachable" | "refused" | "conflict" | "token" | "storage";
  /** For the operator. */
  readonly sentence: string;
}

/** Whether Telegram is being received; each change is logged once. */
export interface Health {
  readonly problem: Problem | undefined;
  /**
   * Does it until it works: after a failure it waits, longer each time, or as Telegram asks. Rejects with a
   * `ConfigError` of the action, and with the signal's reason when that aborts.
   */
  insist<T>(action: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** The first and the longest pause between two attempts, in ms, unless Telegram asks for more. */
const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 30_000;

/** Telegram itself holds back the answer about a second poller for 3 s (telegram-bot-api, Client.cpp). */
const CONFLICT_PAUSE_MS = 3000;

/** Keeps in mind what is wrong, and keeps trying. */
export function createHealth(log: Log): Health {
  let problem: Problem | undefined;

  return {
    get problem() {
      return problem;
    },
    insist: async (action, signal) => {
      for (let failures = 0; ; failures += 1) {
        try {
          const result = await action();
          recovered();
          return result;
        } catch (error) {
          signal.throwIfAborted();
          if (error instanceof ConfigError) throw error;
          failed(toTrouble(error));
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
    if (problem) log.info({}, "Telegram is received again");
    problem = undefined;
  }
}

function toTrouble(error: unknown): Problem {
  if (!(error instanceof TelegramRefusal)) {
    const sentence = `messages from Telegram cannot be stored and wait there: ${describeError(error)}`;
    return { kind: "storage", sentence };
  }
  const { status, message } = error;
  if (status === 0 || status >= 500) return { kind: "unreachable", sentence: message };
  if (status === 401 || status === 404) return { kind: "token", sentence: message };
  if (status !== 409) return { kind: "refused", sentence: message };
  const sentence = /webhook/i.test(error.description)
    ? "another program has set a webhook for this Telegram bot and receives in this one's place: stop that program and start this one again"
    : "another program receives with the same Telegram bot token: stop it, or give each a bot of its own";
  return { kind: "conflict", sentence };
}

/** How long to wait after so many failures before this one, in ms. */
export function pauseAfter(error: unknown, failures: number): number {
  const { retryAfterMs, status } = error instanceof TelegramRefusal ? error : {};
  const jitter = 1 + Math.random() / 4;
  if (retryAfterMs !== undefined) return Math.max(retryAfterMs, FIRST_PAUSE_MS / 2) * jitter;
  if (status === 401 || status === 404) return MAX_PAUSE_MS * jitter;
  const first = status === 409 ? CONFLICT_PAUSE_MS : FIRST_PAUSE_MS;
  return Math.min(MAX_PAUSE_MS, first * 2 ** failures) * jitter;
}

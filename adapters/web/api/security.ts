import type { AdapterLog } from "../../../src/log.ts";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { addressKey } from "../../../src/http/connections.ts";

/**
 * Logs who signed in, who was refused, and which sessions ended: the user, the address, and what happened. It never logs a
 * key, a link, a session id or a cookie, not even an invalid one.
 */
export interface SecurityLog {
  note(event: SecurityEvent, about: About): void;
  /** Logs a failure. Resolves with true if this address has failed in this way too often; then it logs nothing. */
  failed(event: SecurityEvent, about: About): Promise<boolean>;
}

/** The fields of a line in the log. */
export interface About {
  readonly user?: string | undefined;
  /** The address that the request came from. */
  readonly address?: string | undefined;
  readonly [more: string]: string | undefined;
}

export type SecurityEvent = keyof typeof EVENTS;

const EVENTS = {
  "sign-in": ["info", "a user signed in to the web chat"],
  "sign-out": ["info", "a user signed out of the web chat"],
  "session-ended": ["info", "a session of the web chat has ended"],
  "account-switched": ["info", "a user switched to another account of the web chat"],
  "switch-asked": ["info", "a user who is signed in opened another user's link and was asked to confirm"],
  "sign-in-refused": ["warn", "a sign-in to the web chat was refused"],
  "key-refused": ["warn", "an API key was refused"],
  "cross-site": ["warn", "a request from another site was refused"],
  "too-many-failures": [
    "warn",
    "too many failures of this kind from one address: more of them are not logged for a while",
  ],
} as const satisfies Record<string, readonly ["info" | "warn", string]>;

/**
 * How many failures of one kind are logged per address and minute. Keys are too long to be guessed, so this only keeps the
 * log short. A valid key is never refused: behind a proxy, or in an office, all users may have the same address.
 */
const MAX_FAILURES = 20;

/** Creates a security log that writes to the log of the web chat. */
export function createSecurityLog(log: AdapterLog): SecurityLog {
  const failures = new RateLimiterMemory({ points: MAX_FAILURES, duration: 60 });
  return {
    note,
    failed: async (event, about) => {
      const { address } = about;
      const count = await failures
        .consume(`${event} ${addressKey(address ?? "")}`)
        .catch((over: unknown) => over);
      const consumed = count instanceof RateLimiterRes ? count.consumedPoints : MAX_FAILURES;
      if (consumed <= MAX_FAILURES) note(event, about);
      if (consumed === MAX_FAILURES + 1) note("too-many-failures", { address, of: event });
      return consumed > MAX_FAILURES;
    },
  };

  function note(event: SecurityEvent, about: About): void {
    const [level, message] = EVENTS[event];
    log[level]({ event, ...about }, message);
  }
}

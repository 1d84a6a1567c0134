import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { addressKey } from "../../../src/http/connections.ts";

/**
 * Writes down who came in, who was not let in, and what was taken away: who, from where, what. Never a key, a link, the
 * id of a session or a cookie, not even one that is wrong.
 */
export interface SecurityLog {
  note(event: SecurityEvent, about: About): void;
  /** Notes a failure. True if this has failed from this address too often: then it is not written down either. */
  failed(event: SecurityEvent, about: About): Promise<boolean>;
}

/** What such a line is about. */
export interface About {
  readonly user?: string | undefined;
  /** Where the request came from. */
  readonly address?: string | undefined;
  readonly [more: string]: string | undefined;
}

export type SecurityEvent = keyof typeof EVENTS;

/** pino's own interface, as far as it is used. */
export interface Log {
  info(about: object, message: string): void;
  warn(about: object, message: string): void;
  error(about: object, message: string): void;
}

const EVENTS = {
  "sign-in": ["info", "someone signed in to the web chat"],
  "sign-out": ["info", "someone signed out of the web chat"],
  "session-ended": ["info", "a session of the web chat has ended"],
  "account-switched": ["info", "someone switched to another account of the web chat"],
  "switch-asked": ["info", "someone who is signed in has opened another person's link, and was asked first"],
  "sign-in-refused": ["warn", "a sign-in to the web chat was refused"],
  "key-refused": ["warn", "an API key was refused"],
  "cross-site": ["warn", "a request from another site was refused"],
  "too-many-failures": [
    "warn",
    "too many of these failures from one address: more of them are not written down for a while",
  ],
} as const satisfies Record<string, readonly ["info" | "warn", string]>;

/**
 * How many failures of one kind an address has in a minute. Keys are too long to be guessed: this keeps the log short.
 * A right key is never refused: behind a proxy, or in one office, all people may have the same address.
 */
const MAX_FAILURES = 20;

/** A security log that goes where everything else of the web chat is logged. */
export function createSecurityLog(log: Log): SecurityLog {
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

/** The adapter's log, compatible with pino. Messages' texts, secrets and session webhooks are never logged. */
export type Log = Readonly<Record<"info" | "warn" | "error", (about: object, sentence: string) => void>>;

const silent = () => undefined;

/** The log if none is given: it discards every line. */
export const SILENCE: Log = { info: silent, warn: silent, error: silent };

/** What the adapter tells the operator, in pino's way; a message's text, secrets and session webhooks are never in it. */
export type Log = Readonly<Record<"info" | "warn" | "error", (about: object, sentence: string) => void>>;

const silent = () => undefined;

/** For those who gave no log. */
export const SILENCE: Log = { info: silent, warn: silent, error: silent };

/** The adapter's log, with pino's arguments. Never contains the text of a message or the token. */
export type Log = Readonly<Record<"info" | "warn" | "error", (about: object, sentence: string) => void>>;

const silent = () => undefined;

/** The log that is used if the options contain none. */
export const SILENCE: Log = { info: silent, warn: silent, error: silent };

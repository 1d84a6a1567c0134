import closeWithGrace, { type Options } from "close-with-grace";
import { describeError } from "../errors.ts";
import type { Log } from "../log.ts";

/** Longer than the grace that the program gives to running answers, in ms. */
const STOP_WITHIN_MS = 15_000;

/** A second signal within this time is the first one's echo, in ms. */
const ECHO_MS = 500;

/** After these nothing can be ended in order: whoever catches them comes back to the same instruction without end. */
const FATAL = ["SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGSEGV"] as const;

/** Something that is on its way. */
export interface Running {
  /** Resolves when the program is over by itself. */
  running(): Promise<void>;
  stop(): Promise<void>;
}

/** Runs until it is over by itself, or until a signal comes; then ends in order. */
export async function run(log: Log, begin: () => Promise<Running>): Promise<void> {
  let program: Running | undefined;
  const onSecondError = (err: unknown) => log.error({ err }, `a second error: ${describeError(err)}`);
  const options: Options = { delay: STOP_WITHIN_MS, logger: false, skip: [...FATAL], onSecondError };
  const grace = closeWithGrace(options, async ({ signal, err }) => {
    ignoreEcho();
    // Ended like by a crash: parking in order would clear the event that may be to blame, and it would come again
    // with each start. The next start finishes the others.
    if (err) return log.error({ err }, `ending after an unexpected error: ${describeError(err)}`);
    log.info({ signal }, "stopping");
    await program?.stop();
    log.info("stopped");
  });
  try {
    program = await begin();
    await program.running();
  } finally {
    grace.uninstall();
    await program?.stop();
  }
}

/** One wish to end may come twice: a terminal signals npm and us, and npm passes it on. Later it is a second wish. */
function ignoreEcho(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const secondWish = process.listeners(signal);
    process.removeAllListeners(signal);
    process.on(signal, () => undefined);
    setTimeout(() => {
      process.removeAllListeners(signal);
      for (const listener of secondWish) process.on(signal, listener);
    }, ECHO_MS).unref();
  }
}

/** For what does not end by itself. */
export function forever(): Promise<never> {
  return new Promise(() => undefined);
}

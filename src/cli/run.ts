import closeWithGrace, { type Options } from "close-with-grace";
import { describeError } from "../errors.ts";
import type { Log } from "../log.ts";

/** How long a stop may take, in ms; longer than the program waits for running answers. */
const STOP_WITHIN_MS = 15_000;

/** A second signal within this time, in ms, is an echo of the first one. */
const ECHO_MS = 500;

/** Signals after which no ordered stop is possible: a handler would return to the faulty instruction for ever. */
const FATAL = ["SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGSEGV"] as const;

/** A command that is running. */
export interface RunningCommand {
  /** Resolves when the command has finished by itself. */
  running(): Promise<void>;
  stop(): Promise<void>;
}

/** Runs a command until it finishes or a signal arrives, and then stops it in order. */
export async function run(log: Log, begin: () => Promise<RunningCommand>): Promise<void> {
  let program: RunningCommand | undefined;
  const onSecondError = (err: unknown) => log.error({ err }, `a second error: ${describeError(err)}`);
  const options: Options = { delay: STOP_WITHIN_MS, logger: false, skip: [...FATAL], onSecondError };
  const grace = closeWithGrace(options, async ({ signal, err }) => {
    ignoreEcho();
    // Ends as in a crash. An ordered stop would requeue the event that may be the cause without counting the attempt, so it
    // would return with each start. The next start finishes the other events.
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

/** One Ctrl-C may arrive twice: the terminal signals both npm and this process, and npm passes its signal on. */
function ignoreEcho(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const listeners = process.listeners(signal);
    process.removeAllListeners(signal);
    process.on(signal, () => undefined);
    setTimeout(() => {
      process.removeAllListeners(signal);
      for (const listener of listeners) process.on(signal, listener);
    }, ECHO_MS).unref();
  }
}

/** Never resolves: for commands that do not finish by themselves. */
export function forever(): Promise<never> {
  return new Promise(() => undefined);
}

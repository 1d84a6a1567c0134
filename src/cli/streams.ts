/**
 * Ends the process once its standard streams are gone. `code`: the exit code if the reader of a pipe has closed it. This
 * is no failure for a command whose reader, such as `head`, wanted only the beginning, but it is one for a bot that can no
 * longer log. Accepted events are stored in either case.
 */
export function exitWithStreams(code: number): void {
  for (const stream of [process.stdin, process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(code);
      // The terminal is gone. An ordinary exit would reset it, and then Node aborts.
      if (error.code === "EIO") process.kill(process.pid, "SIGKILL");
      throw error;
    });
  }
}

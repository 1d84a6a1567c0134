/** The frames of the spinner, and the time between them in ms. */
const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME_MS = 80;

/** Creates a spinner for the time before the first word of an answer. Stopping it clears its line. */
export function createSpinner(output: NodeJS.WritableStream) {
  let timer: NodeJS.Timeout | undefined;
  let frame = 0;
  return {
    start: () => {
      timer ??= setInterval(() => output.write(`\r${FRAMES[frame++ % FRAMES.length]} `), FRAME_MS).unref();
    },
    stop: () => {
      if (timer === undefined) return;
      clearInterval(timer);
      timer = undefined;
      output.write("\r\u001B[2K");
    },
  };
}

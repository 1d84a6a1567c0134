import { createInterface, type Key } from "node:readline";
import { Writable } from "node:stream";
import type { Said } from "./adapter.ts";
import { createInputQueue } from "./queue.ts";

export interface TerminalOptions {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly prompt: string;
  /** The hint that is shown after the first Ctrl-C. */
  readonly leaveHint: string;
  /** Earlier messages, newest first, which the arrow keys bring back. */
  readonly history?: readonly string[];
}

/** The terminal of a user. */
export interface Terminal {
  /** The user's messages. */
  readonly said: AsyncIterable<Said>;
  /** Shows the prompt, with the text that was typed in the meantime. */
  prompt(): void;
  close(): void;
}

/** The prompt of further lines of one message. */
const CONTINUED = "… ";

/** Turn xterm's "bracketed paste" on and off, which marks the beginning and the end of pasted text. */
const PASTE_ON = "\u001B[?2004h";
const PASTE_OFF = "\u001B[?2004l";

/**
 * Reads messages from a terminal. A message is one line. It continues on the next line after `\`, after Alt-Enter, and
 * within pasted text. `/exit`, Ctrl-D and a second Ctrl-C end the conversation; the first Ctrl-C discards the typed
 * text, or stops the answer.
 */
export function openTerminal({ input, output, prompt, leaveHint, history = [] }: TerminalOptions): Terminal {
  // While an answer is shown, typed text is buffered but not echoed into the answer.
  let muted = true;
  const echo = new Writable({
    write: (chunk: Buffer, _, done) => {
      if (!muted) output.write(chunk);
      done();
    },
  });
  Object.assign(echo, { columns: output.columns, rows: output.rows, isTTY: true });
  const resized = () => {
    Object.assign(echo, { columns: output.columns, rows: output.rows });
    echo.emit("resize");
  };
  output.on("resize", resized);
  const lines = createInterface({ input, output: echo, terminal: true, prompt, history: [...history] });
  const queue = createInputQueue<Said>();
  /** How many times Ctrl-C was pressed in a row. */
  let interrupts = 0;
  /** The lines of the unfinished message. */
  let begun: string[] = [];
  let pasting = false;
  output.write(PASTE_ON);

  lines.on("line", (line) => {
    interrupts = 0;
    if (pasting) return void begun.push(line);
    if (/(^|[^\\])(\\\\)*\\$/.test(line)) return goOn(line.slice(0, -1));
    const text = [...begun, line].join("\n");
    begun = [];
    lines.setPrompt(prompt);
    if (text.trim() === "/exit") return lines.close();
    muted = true;
    queue.push({ text });
  });
  // Added after readline's own listener, which does not handle these keys.
  input.on("keypress", onKey);
  lines.on("SIGINT", () => {
    const typed = begun.length > 0 || lines.line !== "";
    interrupts = typed && !muted ? 0 : interrupts + 1;
    if (interrupts > 1) return lines.close();
    if (muted) return queue.push({ stop: true });
    begun = [];
    lines.setPrompt(prompt);
    // Otherwise the typed text would reappear with the prompt.
    lines.write(null, { ctrl: true, name: "e" });
    lines.write(null, { ctrl: true, name: "u" });
    output.write(typed ? "^C\n" : `\n${leaveHint}\n`);
    showPrompt();
  });
  lines.on("close", () => {
    output.write(PASTE_OFF);
    output.off("resize", resized);
    input.off("keypress", onKey);
    if (!muted) output.write("\n");
    queue.end();
  });

  return {
    said: queue,
    prompt: () => {
      // A message that was typed ahead is answered first.
      if (queue.hasItems) return;
      muted = false;
      showPrompt();
    },
    close: () => lines.close(),
  };

  function onKey(_: string | undefined, { name, meta }: Key): void {
    if (name === "paste-start") pasting = true;
    else if (name === "paste-end") pasting = false;
    else if (name === "return" && meta) {
      const { line } = lines;
      lines.write(null, { ctrl: true, name: "e" });
      echo.write("\n");
      // Muted, so that readline does not clear the line on the screen.
      muteWhile(() => lines.write(null, { ctrl: true, name: "u" }));
      goOn(line);
    }
  }

  function goOn(line: string): void {
    begun.push(line);
    lines.setPrompt(CONTINUED);
    showPrompt();
  }

  /** Shows the prompt below the output. Readline would otherwise clear the rows of its last prompt, now overwritten. */
  function showPrompt(): void {
    Object.assign(lines, { prevRows: 0 });
    lines.prompt(true);
  }

  function muteWhile(action: () => void): void {
    const before = muted;
    muted = true;
    action();
    muted = before;
  }
}

/** Reads the lines of a pipe as messages, up to `/exit`. */
export async function* linesOf(input: NodeJS.ReadableStream): AsyncGenerator<Said> {
  for await (const line of createInterface({ input })) {
    if (line.trim() === "/exit") return;
    yield { text: line };
  }
}

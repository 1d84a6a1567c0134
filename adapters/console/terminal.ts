import { createInterface, type Key } from "node:readline";
import { Writable } from "node:stream";
import type { Said } from "./adapter.ts";

export interface TerminalOptions {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  /** Stands before what is typed. */
  readonly prompt: string;
  /** Shown when Ctrl-C was pressed once. */
  readonly leaveHint: string;
  /** What was said before, newest first: the arrows bring it back. */
  readonly history?: readonly string[];
}

/** A person at a terminal. */
export interface Terminal {
  readonly said: AsyncIterable<Said>;
  /** Shows the prompt, with what was typed in the meantime. */
  prompt(): void;
  close(): void;
}

/** Stands before further lines of one message. */
const CONTINUED = "… ";

/** Asks the terminal to mark what is pasted (xterm's "bracketed paste"), and not to. */
const PASTE_ON = "\u001B[?2004h";
const PASTE_OFF = "\u001B[?2004l";

/**
 * Reads a terminal message by message: a line, unless it ends in `\` or with Alt-Enter, or was pasted together with
 * others. `/exit`, Ctrl-D and a second Ctrl-C leave; the first Ctrl-C drops what is typed, or stops the answer.
 */
export function openTerminal({ input, output, prompt, leaveHint, history = [] }: TerminalOptions): Terminal {
  // What is typed while an answer runs is kept, but not echoed into the answer.
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
  const queue = createQueue<Said>();
  let strikes = 0;
  /** The lines of a message that is not finished. */
  let begun: string[] = [];
  let pasting = false;
  output.write(PASTE_ON);

  lines.on("line", (line) => {
    strikes = 0;
    if (pasting) return void begun.push(line);
    if (/(^|[^\\])(\\\\)*\\$/.test(line)) return goOn(line.slice(0, -1));
    const text = [...begun, line].join("\n");
    begun = [];
    lines.setPrompt(prompt);
    if (text.trim() === "/exit") return lines.close();
    muted = true;
    queue.push({ text });
  });
  // After readline's own listener, which knows nothing of these.
  input.on("keypress", onKey);
  lines.on("SIGINT", () => {
    const typed = begun.length > 0 || lines.line !== "";
    strikes = typed && !muted ? 0 : strikes + 1;
    if (strikes > 1) return lines.close();
    if (muted) return queue.push({ stop: true });
    begun = [];
    lines.setPrompt(prompt);
    // Otherwise what is typed would come back with the prompt.
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
      // The answer to what was typed ahead comes first.
      if (queue.waits) return;
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
      // Readline must not take it away from the screen.
      muteWhile(() => lines.write(null, { ctrl: true, name: "u" }));
      goOn(line);
    }
  }

  function goOn(line: string): void {
    begun.push(line);
    lines.setPrompt(CONTINUED);
    showPrompt();
  }

  /** Below all that stands: readline would clear the rows that its last prompt took, whatever stands there by now. */
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

/** Every line of a pipe is a message. */
export async function* linesOf(input: NodeJS.ReadableStream): AsyncGenerator<Said> {
  for await (const line of createInterface({ input })) {
    if (line.trim() === "/exit") return;
    yield { text: line };
  }
}

function createQueue<T>(): AsyncIterable<T> & { readonly waits: boolean; push(item: T): void; end(): void } {
  const items: T[] = [];
  let over = false;
  let wake = () => {};
  return {
    get waits() {
      return items.length > 0;
    },
    push: (item) => {
      items.push(item);
      wake();
    },
    end: () => {
      over = true;
      wake();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const item = items.shift();
        if (item !== undefined) yield item;
        else if (over) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

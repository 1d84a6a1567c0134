import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import type { Said } from "./adapter.ts";

export interface TerminalOptions {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  /** Stands before what is typed. */
  readonly prompt: string;
  /** Shown when Ctrl-C was pressed once. */
  readonly leaveHint: string;
}

/** A person at a terminal. */
export interface Terminal {
  readonly said: AsyncIterable<Said>;
  /** Shows the prompt, with what was typed in the meantime. */
  prompt(): void;
  close(): void;
}

/** Reads a terminal line by line. `/exit`, Ctrl-D and a second Ctrl-C leave; the first Ctrl-C stops the answer. */
export function openTerminal({ input, output, prompt, leaveHint }: TerminalOptions): Terminal {
  // What is typed while an answer runs is kept, but not echoed into the answer.
  let muted = true;
  const echo = new Writable({
    write: (chunk: Buffer, _, done) => {
      if (!muted) output.write(chunk);
      done();
    },
  });
  Object.assign(echo, { columns: output.columns, rows: output.rows, isTTY: true });
  const lines = createInterface({ input, output: echo, terminal: true, prompt });
  const queue = createQueue<Said>();
  let strikes = 0;

  lines.on("line", (line) => {
    strikes = 0;
    if (line.trim() === "/exit") return lines.close();
    muted = true;
    queue.push({ text: line });
  });
  lines.on("SIGINT", () => {
    strikes += 1;
    if (strikes > 1) return lines.close();
    if (muted) return queue.push({ stop: true });
    output.write(`\n${leaveHint}\n`);
    lines.prompt();
  });
  lines.on("close", () => {
    if (!muted) output.write("\n");
    queue.end();
  });

  return {
    said: queue,
    prompt: () => {
      muted = false;
      lines.prompt(true);
    },
    close: () => lines.close(),
  };
}

/** Every line of a pipe is a message. */
export async function* linesOf(input: NodeJS.ReadableStream): AsyncGenerator<Said> {
  for await (const line of createInterface({ input })) {
    if (line.trim() === "/exit") return;
    yield { text: line };
  }
}

function createQueue<T>(): AsyncIterable<T> & { push(item: T): void; end(): void } {
  const items: T[] = [];
  let over = false;
  let wake = () => {};
  return {
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

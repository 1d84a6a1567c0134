import { randomUUID } from "node:crypto";
import type { Adapter, Receive } from "../../src/adapter.ts";
import { type Address, type ChatEvent, parseCommand } from "../../src/event.ts";
import { createConsoleDialect } from "./dialect.ts";
import { createSpinner } from "./spinner.ts";

export interface ConsoleOptions {
  /** The user's messages, in order. Its end ends the conversation. */
  readonly input: AsyncIterable<Said>;
  readonly output: NodeJS.WritableStream & { isTTY?: boolean; columns?: number; rows?: number };
  /** The user of the conversation; a function is called for each message. */
  readonly user: string | (() => Seat);
  /** The user's language, such as "zh-CN"; by default the language of each question. */
  readonly locale?: string | undefined;
  /** Whether to use colours and styles. */
  readonly color: boolean;
  /** Whether the terminal supports links behind text; otherwise addresses are written out. */
  readonly links?: boolean;
  /** Called whenever every message has been answered, for example to show a prompt. */
  readonly idle?: () => void;
}

/** The user at the console, and the conversation that they are in. */
export interface Seat {
  readonly user: string;
  /** Absent for the user's default conversation. */
  readonly thread?: string | undefined;
}

/** A message, or a request to stop the running answer. */
export type Said = { readonly text: string } | { readonly stop: true };

/** The console adapter, which also reports the end of the conversation. */
export interface Console extends Adapter<string> {
  /** Resolves when the input has ended and every message is answered. */
  readonly ended: Promise<void>;
}

/** A terminal has no rate limit, and streamed frames are already no faster than the eye. */
const PACE = { direct: 0, group: 0 };

/** The most unanswered messages to read from a pipe: the queue accepts 50 from one conversation. */
const MAX_AHEAD = 40;

/** The rows that remain free below a growing answer on a terminal. */
const FREE_ROWS = 2;

/**
 * Creates the adapter of a conversation on a terminal or in a pipe. A terminal shows a growing block by rewriting it in
 * place. A pipe cannot be edited, so each block is written when it is complete.
 */
export function createConsole(options: ConsoleOptions): Console {
  const { output } = options;
  /** The ids of the events that have not been answered. */
  const waiting = new Set<string>();
  /** The prefix of this run's message references. */
  const run = randomUUID();
  let last = { ref: "", lines: 0, event: "" };
  let stopped = false;
  let end = () => {};
  let makeRoom = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  const spinner = createSpinner(output);

  const console: Console = {
    name: "console",
    ended,
    pace: PACE,
    // A getter, so that each answer is laid out for the current size of the terminal.
    get dialect() {
      return createConsoleDialect({
        color: options.color,
        ...(options.links && { links: true }),
        ...(output.isTTY && {
          columns: output.columns ?? 80,
          rows: Math.max(4, (output.rows ?? 24) - FREE_ROWS),
        }),
      });
    },
    start: async (receive) => {
      options.idle?.();
      void listen(receive);
    },
    stop: async () => {
      stopped = true;
      spinner.stop();
      makeRoom();
    },
    send: async (to, body, key) => {
      if (to["silent"]) return key;
      spinner.stop();
      const event = eventOf(to);
      // An answer that an earlier run left open arrives while the prompt is shown.
      const isOwed = output.isTTY && !waiting.has(event);
      if (last.event !== event && (last.event || isOwed)) output.write("\n");
      const page = last.event === event ? body : body.replace(/^\n+/, "");
      output.write(`${page}\n`);
      last = { ref: `${run} ${key}`, lines: page.split("\n").length, event };
      return last.ref;
    },
    // The messages of an earlier process have disappeared, or are above the part of the screen that can be rewritten.
    recovery: { isVisible: (ref) => ref.startsWith(run) },
    finish: async (to) => {
      spinner.stop();
      waiting.delete(eventOf(to));
      makeRoom();
      settle();
    },
  };
  if (output.isTTY) {
    console.typing = async () => spinner.start();
    console.edit = async (_, ref, body) => {
      // Only the last page of an answer changes.
      if (ref !== last.ref) return;
      const first = ref.endsWith("#0");
      const page = first ? body.replace(/^\n+/, "") : body;
      output.write(`\u001B[${last.lines}A\u001B[0J${page}\n`);
      last.lines = page.split("\n").length;
    };
  }
  return console;

  async function listen(receive: Receive): Promise<void> {
    try {
      for await (const said of options.input) {
        if (stopped) break;
        const event = toEvent(said, options);
        if (!event) {
          settle();
          continue;
        }
        waiting.add(event.id);
        await receive(event);
        while (waiting.size >= MAX_AHEAD && !stopped)
          await new Promise<void>((resolve) => (makeRoom = resolve));
      }
    } finally {
      stopped = true;
      settle();
    }
  }

  function settle(): void {
    if (waiting.size > 0) return;
    if (stopped) end();
    else options.idle?.();
  }
}

function eventOf({ event }: Address): string {
  return typeof event === "string" ? event : "";
}

function toEvent(said: Said, { user: who, locale }: ConsoleOptions): ChatEvent | undefined {
  const { user, thread }: Seat = typeof who === "string" ? { user: who } : who();
  const id = `console:${randomUUID()}`;
  const stop = "stop" in said;
  const line = stop ? "" : said.text;
  if (!stop && !line.trim()) return undefined;
  return {
    id,
    platform: "console",
    user: { id: user, name: user, ...(locale && { locale }) },
    chat: { id: user, kind: "direct", ...(thread !== undefined && { thread }) },
    to: { event: id, ...(stop && { silent: true }) },
    at: Date.now(),
    ...(stop ? { command: "stop", text: "" } : (parseCommand(line) ?? { text: line })),
  };
}

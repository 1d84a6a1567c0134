import { randomUUID } from "node:crypto";
import type { Adapter, Receive } from "../../src/adapter.ts";
import { type Address, type ChatEvent, parseCommand } from "../../src/event.ts";
import { createConsoleDialect } from "./dialect.ts";

export interface ConsoleOptions {
  /** What the person says, in order; its end is the end of the conversation. */
  readonly input: AsyncIterable<Said>;
  readonly output: NodeJS.WritableStream & { isTTY?: boolean; columns?: number; rows?: number };
  /** Whose conversation it is; a function is asked with each message. */
  readonly user: string | (() => Seat);
  /** Such as "zh-CN"; by default the language of each question. */
  readonly locale?: string | undefined;
  /** Whether to use colours and styles. */
  readonly color: boolean;
  /** Whether the terminal knows links behind a text; otherwise addresses are written out. */
  readonly links?: boolean;
  /** Called whenever nothing is left to be answered: a terminal shows its prompt. */
  readonly idle?: () => void;
}

/** Who sits at the console, and in which of their conversations. */
export interface Seat {
  readonly user: string;
  /** Absent for the conversation that is always there. */
  readonly thread?: string | undefined;
}

/** A message, or the wish that the running answer stop. */
export type Said = { readonly text: string } | { readonly stop: true };

/** The console: an adapter that also says when the conversation is over. */
export interface Console extends Adapter<string> {
  /** Resolves when the input has ended and everything is answered. */
  readonly ended: Promise<void>;
}

/** A terminal takes all that it is given, at once; frames of a growing answer come no faster than the eye anyway. */
const PACE = { direct: 0, group: 0 };

/** So many messages of a pipe are taken in ahead of the answers: the queue takes 50 of one conversation. */
const MAX_AHEAD = 40;

/** What turns until the first word comes, and how fast, in ms. */
const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const SPIN_MS = 80;

/** Lines that stay free below a growing answer on a terminal. */
const FREE_ROWS = 2;

/**
 * A conversation on a terminal or in a pipe. On a terminal the growing block is rewritten in place; in a
 * pipe there is no edit, and each block is written when it is finished.
 */
export function createConsole(options: ConsoleOptions): Console {
  const { output } = options;
  const waiting = new Set<string>();
  /** Stands before the references of this run. */
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
    // Each answer takes the size that the terminal has by then.
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
      // An answer that an earlier run owed comes while the prompt stands already.
      const isOwed = output.isTTY && !waiting.has(event);
      if (last.event !== event && (last.event || isOwed)) output.write("\n");
      const page = last.event === event ? body : body.replace(/^\n+/, "");
      output.write(`${page}\n`);
      last = { ref: `${run} ${key}`, lines: page.split("\n").length, event };
      return last.ref;
    },
    // What an earlier process has written went with its screen, or is out of reach above.
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
      // A pager changes only its last page.
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

/** Turns on a line of its own, which is empty again once it is stopped. */
function createSpinner(output: NodeJS.WritableStream) {
  let timer: NodeJS.Timeout | undefined;
  let turn = 0;
  return {
    start: () => {
      timer ??= setInterval(() => output.write(`\r${SPINNER[turn++ % SPINNER.length]} `), SPIN_MS).unref();
    },
    stop: () => {
      if (timer === undefined) return;
      clearInterval(timer);
      timer = undefined;
      output.write("\r\u001B[2K");
    },
  };
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

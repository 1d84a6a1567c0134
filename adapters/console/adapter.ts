import { randomUUID } from "node:crypto";
import type { Adapter, Receive } from "../../src/adapter.ts";
import { type Address, type ChatEvent, parseCommand } from "../../src/event.ts";
import { createConsoleDialect } from "./dialect.ts";

export interface ConsoleOptions {
  /** What the person says, in order; its end is the end of the conversation. */
  readonly input: AsyncIterable<Said>;
  readonly output: NodeJS.WritableStream & { isTTY?: boolean; columns?: number; rows?: number };
  /** Whose conversation it is. */
  readonly user: string;
  /** Such as "zh-CN"; by default the language of each question. */
  readonly locale?: string | undefined;
  /** Whether to use colours and styles. */
  readonly color: boolean;
  /** Whether the terminal knows links behind a text; otherwise addresses are written out. */
  readonly links?: boolean;
  /** Called whenever nothing is left to be answered: a terminal shows its prompt. */
  readonly idle?: () => void;
}

/** A message, or the wish that the running answer stop. */
export type Said = { readonly text: string } | { readonly stop: true };

/** The console: an adapter that also says when the conversation is over. */
export interface Console extends Adapter<string> {
  /** Resolves when the input has ended and everything is answered. */
  readonly ended: Promise<void>;
}

/** As often as the eye can follow; more would only cost, in ms. */
const PACE = { direct: 50, group: 50 };

/** Lines that stay free below a growing answer on a terminal. */
const FREE_ROWS = 2;

/**
 * A conversation on a terminal or in a pipe. On a terminal the growing block is rewritten in place; in a
 * pipe there is no edit, and each block is written when it is finished.
 */
export function createConsole(options: ConsoleOptions): Console {
  const { output } = options;
  const waiting = new Set<string>();
  let last = { ref: "", lines: 0, event: "" };
  let stopped = false;
  let end = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));

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
    },
    send: async (to, body, key) => {
      if (to["silent"]) return key;
      const event = eventOf(to);
      if (last.event && last.event !== event) output.write("\n");
      const page = last.event === event ? body : body.replace(/^\n+/, "");
      output.write(`${page}\n`);
      last = { ref: key, lines: page.split("\n").length, event };
      return key;
    },
    finish: async (to) => {
      waiting.delete(eventOf(to));
      settle();
    },
  };
  if (output.isTTY) {
    console.edit = async (_, ref, body) => {
      // A pager changes only its last page; what an earlier process wrote is out of reach.
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

function toEvent(said: Said, { user, locale }: ConsoleOptions): ChatEvent | undefined {
  const id = `console:${randomUUID()}`;
  const stop = "stop" in said;
  const line = stop ? "" : said.text;
  if (!stop && !line.trim()) return undefined;
  return {
    id,
    platform: "console",
    user: { id: user, name: user, ...(locale && { locale }) },
    chat: { id: user, kind: "direct" },
    to: { event: id, ...(stop && { silent: true }) },
    at: Date.now(),
    ...(stop ? { command: "stop", text: "" } : (parseCommand(line) ?? { text: line })),
  };
}

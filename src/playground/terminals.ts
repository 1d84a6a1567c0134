import type { ChildProcess } from "node:child_process";
import { createScreen, type Screen } from "../../adapters/console/simulator.ts";
import { end, type Home, spawnProgram } from "./children.ts";
import type { StageReport } from "./journey.ts";
import type { Line } from "./protocol.ts";
import { showRow } from "./show/terminal.ts";

/** A terminal for each user, which starts `colloquy chat` at the first key. */
export interface Terminals {
  lines(person: string): readonly Line[];
  /** Types text, and presses Enter. */
  say(person: string, text: string): void;
  /** Presses a key that is not text; an unknown key only opens the terminal. */
  key(person: string, key: string): void;
  close(): Promise<void>;
}

/** The columns and rows that fit into the window of the page. */
const SIZE = { columns: 56, rows: 24 };

/** The codes that terminals send for keys. */
const KEYS: Readonly<Record<string, string>> = {
  "Ctrl-C": "\u0003",
  ArrowUp: "\u001B[A",
  ArrowDown: "\u001B[B",
  Enter: "\r",
};

/** The marks around a paste, so that several lines are one message (xterm's "bracketed paste"). */
const PASTE = { begin: "\u001B[200~", end: "\u001B[201~" };

interface Terminal {
  readonly screen: Screen;
  child: ChildProcess | undefined;
}

export interface TerminalsOptions extends Home {
  readonly onStage: (report: StageReport) => void;
  readonly changed: () => void;
}

/** Creates terminals that open when they are first used, and open again when the user writes after `/exit`. */
export function createTerminals({ onStage, changed, ...home }: TerminalsOptions): Terminals {
  const terminals = new Map<string, Terminal>();
  let closed = false;

  return {
    lines: (person) =>
      (terminals.get(person)?.screen.rows() ?? []).map((row, index) => ({
        id: `${index}`,
        from: "bot",
        shapes: showRow(row),
      })),
    say: (person, text) => {
      // Keys that are not text are sent with `key`.
      const typed = text.replace(/[\u0000-\u0008\u000B-\u001F\u007F]/g, "");
      type(person, typed.includes("\n") ? `${PASTE.begin}${typed}${PASTE.end}\r` : `${typed}\r`);
    },
    key: (person, key) => type(person, KEYS[key] ?? ""),
    close: async () => {
      closed = true;
      await Promise.all([...terminals.values()].map(({ child }) => end(child)));
    },
  };

  function type(person: string, keys: string): void {
    const terminal = open(person);
    terminal.child ??= begin(person, terminal.screen);
    terminal.child.stdin?.write(keys);
  }

  function open(person: string): Terminal {
    const known = terminals.get(person);
    if (known) return known;
    const screen = createScreen({ isTTY: true, wraps: true, ...SIZE });
    const terminal: Terminal = { screen, child: undefined };
    terminals.set(person, terminal);
    terminal.child = begin(person, screen);
    return terminal;
  }

  function begin(person: string, screen: Screen): ChildProcess {
    const env = { ...home.env, COLUMNS: `${SIZE.columns}`, LINES: `${SIZE.rows}`, ...LOOKS };
    const child = spawnProgram("playground/pretend.js", ["chat", "--no-files", "--user", person], {
      ...home,
      env,
      onStage,
    });
    for (const output of [child.stdout, child.stderr]) {
      output?.setEncoding("utf8").on("data", (text: string) => {
        screen.output.write(text);
        changed();
      });
    }
    child.once("close", () => {
      const terminal = terminals.get(person);
      if (terminal) terminal.child = undefined;
      if (closed) return;
      screen.output.write("\n");
      changed();
    });
    return child;
  }
}

/** The environment of a terminal that shows styles, and links behind a text. */
const LOOKS = { TERM: "xterm-256color", TERM_PROGRAM: "vscode", FORCE_COLOR: "1" };
